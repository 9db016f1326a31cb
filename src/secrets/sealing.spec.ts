import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeConfig } from '../config/describe-config';
import { loadConfig } from '../config/load-config';
import { sealingKeysOf } from './secret-keys';
import { SealingKeys } from './sealing';

const PLACE = { channel: 'shop', name: 'tokens' };
const newKey = () => randomBytes(32).toString('base64');

describe('a sealed secret', () => {
  const [one, two] = [newKey(), newKey()];
  const sealed = new SealingKeys([one]).seal('the secret', PLACE)!;

  test('opens with the key that sealed it, wherever that stands among the others', () => {
    expect(new SealingKeys([two, one]).open(sealed, PLACE)).toBe('the secret');
    expect(new SealingKeys([two]).open(sealed, PLACE)).toBeUndefined();
    expect(new SealingKeys([]).open(sealed, PLACE)).toBeUndefined();
  });

  test('is sealed with the first key, and otherwise each time', () => {
    const keys = new SealingKeys([two, one]);
    const [first, second] = [keys.seal('x', PLACE)!, keys.seal('x', PLACE)!];
    expect([first.keyId, second.keyId]).toEqual([keys.firstId, keys.firstId]);
    expect(first.keyId).not.toBe(sealed.keyId);
    expect(first.sealed.equals(second.sealed)).toBe(false);
  });

  test.each([
    ['for another channel', { ...PLACE, channel: 'shop-2' }],
    ['under another name', { ...PLACE, name: 'token' }],
    ['where name and channel are cut otherwise', { channel: 'shoptokens', name: '' }],
  ])('does not open %s', (_, place) => {
    expect(new SealingKeys([one]).open(sealed, place)).toBeUndefined();
  });

  test('does not open with any bit of it turned, nor cut short', () => {
    const keys = new SealingKeys([one]);
    for (let index = 0; index < sealed.sealed.length; index++) {
      const turned = Buffer.from(sealed.sealed);
      turned[index]! ^= 1 << (index % 8);
      expect(keys.open({ ...sealed, sealed: turned }, PLACE)).toBeUndefined();
      expect(keys.open({ ...sealed, sealed: sealed.sealed.subarray(0, index) }, PLACE)).toBeUndefined();
    }
  });
});

describe('the keys', () => {
  let folder: string;

  beforeEach(async () => void (folder = await mkdtemp(join(tmpdir(), 'onhand-keys-'))));
  afterEach(() => rm(folder, { recursive: true }));

  const config = (env: Record<string, string>) => loadConfig({ env, cwd: folder });

  test('of the environment are read in their order, whatever stands between them', async () => {
    const keys = [newKey(), newKey()];
    const read = await sealingKeysOf(config({ ONHAND_SECRET_KEYS: ` ${keys[0]},\n${keys[1]} ` }));
    expect(read.ids).toEqual(new SealingKeys(keys).ids);
  });

  test('are not shown with the configuration that is in force', () => {
    const key = newKey();
    expect(JSON.stringify(describeConfig(config({ ONHAND_SECRET_KEYS: key })))).not.toContain(key);
  });

  test('are made in a file of their own where PostgreSQL is embedded, once', async () => {
    const embedded = config({});
    const [one, two] = await Promise.all([sealingKeysOf(embedded), sealingKeysOf(embedded)]);
    expect(one.ids).toHaveLength(1);
    expect(two.ids).toEqual(one.ids);
    expect((await stat(join(folder, 'data/secret-keys'))).mode & 0o777).toBe(0o600);
  });

  test('are none with a database of its own and no variable: hosts that each made one could not read each other', async () => {
    const read = await sealingKeysOf(config({ DATABASE_URL: 'postgres://db/onhand' }));
    expect(read.firstId).toBeUndefined();
    expect(read.seal('x', PLACE)).toBeUndefined();
  });

  test('that are none are refused by the name of the variable, and by nothing of theirs', async () => {
    const wrong = randomBytes(31).toString('base64');
    expect(() => config({ ONHAND_SECRET_KEYS: `${newKey()},${wrong}` })).toThrow(
      /ONHAND_SECRET_KEYS.*keys of 32 bytes in Base64/s,
    );
    try {
      config({ ONHAND_SECRET_KEYS: wrong });
    } catch (error) {
      expect((error as Error).message).not.toContain(wrong.slice(0, 12));
    }
    const embedded = config({});
    await sealingKeysOf(embedded);
    await writeFile(join(folder, 'data/secret-keys'), 'not a key');
    await expect(sealingKeysOf(embedded)).rejects.toThrow(/secret-keys must hold keys of 32 bytes/);
  });
});
