import { join } from 'node:path';
import { record, type Recording } from './recording';
import { shopifyRecording } from './shopify-recording';

/** One for each plugin whose channel can be recorded. */
const RECORDINGS: Readonly<Record<string, Recording>> = {
  shopify: shopifyRecording as unknown as Recording,
};

async function main(name: string | undefined): Promise<void> {
  const recording = RECORDINGS[name ?? ''];
  if (!recording) throw new Error(`Say which plugin to record: ${Object.keys(RECORDINGS).join(', ')}.`);
  const file = join(
    __dirname,
    `../../plugins/${name}/recordings/${new Date().toISOString().slice(0, 10)}.json`,
  );
  await record(recording, process.env, file);
  process.stdout.write(`Recorded in ${file}. Read it before you commit it.\n`);
}

main(process.argv[2]).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
