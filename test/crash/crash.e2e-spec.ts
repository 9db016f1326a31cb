import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryFolder } from '../support/test-server';
import { unsettled } from './at-rest';
import { leakedSecrets } from './canaries';
import { CrashPostgres } from './crash-postgres';
import { CrashWorld } from './crash-world';
import { FAULTS } from './faults';
import { brokenInvariants } from './invariants';
import { openWorld, playRound } from './round';
import type { Traffic } from './traffic';

jest.setTimeout(300_000);

/** Two rounds of what `npm run crash` plays by the hundred, and whether it would notice. */
describe('hosts that are broken from outside', () => {
  let folder: string;
  let world: CrashWorld;
  let traffic: Traffic;

  beforeAll(async () => {
    folder = await temporaryFolder();
    const template = await CrashPostgres.template(folder);
    const place = join(folder, 'world');
    world = await CrashWorld.create(place, await template.copyTo(place), 1);
    traffic = await openWorld(world, 1);
  });

  afterAll(async () => {
    await world.close();
    await rm(folder, { recursive: true, force: true });
  });

  test.each(['failpoint', 'commit-cut'] as const)('keep all invariants: %s', async (kind) => {
    const { broken, answered, notes } = await playRound(world, traffic, { fault: FAULTS[kind], seed: 1 });
    expect(broken).toEqual([]);
    expect(answered).toBeGreaterThan(5);
    expect(notes).not.toEqual([]);
  });

  describe('would be caught', () => {
    const seen = async () => [
      ...(await unsettled(world, traffic)),
      ...(await brokenInvariants(world, traffic)),
      ...(await leakedSecrets(world)),
    ];

    test.each([
      [
        'losing a webhook that they took',
        'DELETE FROM inbox WHERE id = (SELECT max(id) FROM inbox)',
        /^I4: the webhook/,
      ],
      ['losing an order', 'DELETE FROM orders WHERE ctid = (SELECT min(ctid) FROM orders)', /^I4: order /],
      [
        'promising a unit twice',
        `UPDATE reservation_lines SET reserved = reserved + 1, quantity = quantity + 1
          WHERE (reservation_id, line, part) = (SELECT p.reservation_id, p.line, p.part FROM reservation_lines p
            JOIN reservations r ON r.id = p.reservation_id WHERE r.channel IS NOT NULL LIMIT 1)`,
        /^I2: line/,
      ],
      [
        'forgetting a reservation',
        `DELETE FROM reservations WHERE id = (SELECT id FROM reservations WHERE channel IS NULL LIMIT 1)`,
        /^I4: reservation .* is not there/,
      ],
      [
        'a level that no event explains',
        `UPDATE levels SET available = available + 1 WHERE sku_id = 1`,
        /^I1: SKU/,
      ],
      ['leaving a listing unpushed', `UPDATE levels SET available = available + 7 WHERE sku_id = 2`, /^I5: /],
      [
        'keeping a secret',
        `UPDATE orders SET document = document || '{"note": "canary-"}' WHERE ctid = (SELECT min(ctid) FROM orders)`,
        /^I8: a secret is in the table orders/,
      ],
    ])('%s', async (_what, sabotage, told) => {
      const before = new Set(await seen());
      expect((await world.pool.query(sabotage)).rowCount).toBe(1);
      const after = (await seen()).filter((line) => !before.has(line));
      expect(after).toContainEqual(expect.stringMatching(told));
    });
  });
});
