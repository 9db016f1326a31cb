import { PLANTS } from './plants';
import { Worker } from './workers';

/** By which seed a planted bug was found, and what it broke there; no seed where none of them found it. */
export interface Caught {
  name: string;
  seed?: number;
  broken: string[];
}

/** Has every planted bug looked for, each by seeds from the first one on until one of them fails. */
export async function huntAll(
  serverUrl: string,
  { from, seeds, workers }: { from: number; seeds: number; workers: number },
  told: (caught: Caught) => void,
): Promise<Caught[]> {
  const left = [...PLANTS];
  const all: Caught[] = [];
  const work = async () => {
    for (let plant = left.shift(); plant; plant = left.shift()) {
      const worker = await Worker.start(serverUrl, plant.name);
      const caught = await hunt(worker, plant.name, from, seeds);
      await worker.end();
      all.push(caught);
      told(caught);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  return all;
}

async function hunt(worker: Worker, name: string, from: number, seeds: number): Promise<Caught> {
  for (let seed = from; seed < from + seeds; seed++) {
    const { violations } = await worker.run({ seed });
    const broken = [...new Set(violations.map(({ invariant }) => invariant))];
    if (broken.length > 0) return { name, seed, broken };
  }
  return { name, broken: [] };
}
