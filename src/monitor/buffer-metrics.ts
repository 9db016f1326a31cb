import { Counter, Gauge, type Registry } from 'prom-client';
import type { BufferRulesService } from '../buffers/buffer-rules.service';
import type { RecalculationService } from '../buffers/recalculation.service';

/** Metrics of what is withheld; each is read when it is asked for. */
export function registerBufferMetrics(
  registry: Registry,
  recalculation: RecalculationService,
  buffers: BufferRulesService,
): void {
  const { counts } = recalculation;
  for (const [name, help, byChannel] of [
    ['raised', 'Times that more was withheld of a SKU at a location, by this host', counts.raised],
    ['released', 'Times that less was withheld of a SKU at a location, by this host', counts.released],
  ] as const) {
    new Counter({
      name: `onhand_buffers_${name}_total`,
      help,
      labelNames: ['channel'],
      registers: [registry],
      collect() {
        this.reset();
        for (const { name: channel } of buffers.channels) this.inc({ channel }, byChannel.get(channel) ?? 0);
      },
    });
  }
  new Gauge({
    name: 'onhand_channel_sync_p99_seconds',
    help: 'From a commit to the channel having taken it, as buffers go by it',
    labelNames: ['channel'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { name: channel } of buffers.channels) {
        const { syncP99Ms } = buffers.signalsOf(channel);
        if (syncP99Ms !== null) this.set({ channel }, syncP99Ms / 1000);
      }
    },
  });
}
