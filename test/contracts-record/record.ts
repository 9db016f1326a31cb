import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

/** What a channel's file in this folder exports. */
interface Recorder {
  NEEDED: readonly string[];
  record(
    environment: NodeJS.ProcessEnv,
    keep: (name: string, recording: object) => Promise<void>,
  ): Promise<void>;
}

/** `npm run contracts:record -- <channel>`: plays the plugin's calls against its vendor's sandbox, and keeps the answers. */
async function main([channel = '']: readonly string[]): Promise<void> {
  if (!/^[a-z][a-z-]*$/.test(channel)) throw new Error('name a channel, such as amazon-sp-api');
  const { NEEDED, record } = (await import(`./${channel}`)) as Recorder;
  const missing = NEEDED.filter((name) => !process.env[name]);
  if (missing.length > 0) throw new Error(`set ${missing.join(', ')} in the environment`);
  const folder = resolve('recordings', channel);
  await mkdir(folder, { recursive: true });
  let kept = 0;
  await record(process.env, async (name, recording) => {
    kept += 1;
    await writeFile(join(folder, `${name}.json`), `${JSON.stringify(recording, null, 2)}\n`);
  });
  process.stdout.write(`${kept} answers are in ${folder}\n`);
}

main(process.argv.slice(2)).catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
