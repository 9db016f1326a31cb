import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListingsFileError } from './channels.errors';
import { readListingRows, readListings } from './listings-file';

describe('a listings file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'onhand-listings-'));
  const file = join(folder, 'listings.csv');

  afterAll(() => rmSync(folder, { recursive: true }));

  function read(content: string | Buffer) {
    writeFileSync(file, content);
    return readListings(file);
  }

  function faultsOf(content: string | Buffer): readonly string[] {
    try {
      read(content);
    } catch (error) {
      expect(error).toBeInstanceOf(ListingsFileError);
      return (error as ListingsFileError).faults;
    }
    throw new Error('the file was read');
  }

  test('maps channel SKUs to ours', () => {
    expect(read('channel_sku,sku,units\nS-1,A,1\nS-2,B,6\n')).toEqual([
      { channelSku: 'S-1', components: [{ sku: 'A', units: 1 }] },
      { channelSku: 'S-2', components: [{ sku: 'B', units: 6 }] },
    ]);
  });

  test('makes one bundle of the rows of one channel SKU, wherever they stand', () => {
    expect(read('channel_sku,sku,units\nSET,A,2\nS-1,A,1\nSET,B,1\n')).toEqual([
      {
        channelSku: 'SET',
        components: [
          { sku: 'A', units: 2 },
          { sku: 'B', units: 1 },
        ],
      },
      { channelSku: 'S-1', components: [{ sku: 'A', units: 1 }] },
    ]);
  });

  test.each([
    ['no units', 'channel_sku,sku,units\nS,A,\n'],
    ['no column of units', 'channel_sku,sku\nS,A\n'],
    ['columns in another order', 'units,sku,channel_sku\n1,A,S\n'],
    ['columns that are not ours', 'channel_sku,title,sku,units\nS,Mug,A,1\n'],
    ['spaces around', ' channel_sku , sku , units \n S , A , 1 \n'],
    ['a byte order mark', '\ufeffchannel_sku,sku,units\nS,A,1\n'],
    ['lines that end as on Windows', 'channel_sku,sku,units\r\nS,A,1\r\n'],
    ['empty lines', 'channel_sku,sku,units\n\nS,A,1\n\n'],
    ['no end of the last line', 'channel_sku,sku,units\nS,A,1'],
    ['quotes', '"channel_sku","sku","units"\n"S","A","1"\n'],
  ])('is read with %s', (_name, content) => {
    expect(read(content)).toEqual([{ channelSku: 'S', components: [{ sku: 'A', units: 1 }] }]);
  });

  test('says what a listing has of its own, in any of its rows', () => {
    const header = 'channel_sku,sku,units,cap,buffer_units,buffer_percent';
    expect(read(`${header}\nS-1,A,1,,,\nS-2,A,1,50,3,2.5\nSET,A,1,0,,\nSET,B,2,,,0\n`)).toEqual([
      { channelSku: 'S-1', components: [{ sku: 'A', units: 1 }] },
      {
        channelSku: 'S-2',
        components: [{ sku: 'A', units: 1 }],
        cap: 50,
        bufferUnits: 3,
        bufferPercent: 2.5,
      },
      {
        channelSku: 'SET',
        components: [
          { sku: 'A', units: 1 },
          { sku: 'B', units: 2 },
        ],
        cap: 0,
        bufferPercent: 0,
      },
    ]);
  });

  const NO_WHOLE_NUMBER = [
    '-1',
    '1.5',
    'ten',
    '1e3',
    '1e21',
    'NaN',
    'Infinity',
    '0x10',
    '1000000001',
    '+1',
    ' ',
  ];

  test.each([
    ['cap', NO_WHOLE_NUMBER.slice(0, -1), 'a whole number from 0 to 1000000000'],
    ['buffer_units', NO_WHOLE_NUMBER.slice(0, -1), 'a whole number from 0 to 1000000000'],
    ['buffer_percent', ['-1', '100.1', 'ten', '5%', '1e1', 'NaN', 'Infinity'], 'a number from 0 to 100'],
  ])('is refused with a %s that is none', (column, values, expected) => {
    for (const value of values)
      expect(faultsOf(`channel_sku,sku,${column}\nS,A,${value}\n`)).toEqual([
        `line 2: ${column} must be ${expected}`,
      ]);
  });

  test('is refused when two rows of a bundle have another cap or buffer', () => {
    expect(faultsOf('channel_sku,sku,cap\nSET,A,5\nSET,B,5\nSET,C,6\n')).toEqual([
      'line 4: SET has another cap in an earlier row',
    ]);
  });

  test('is refused with a column that is there twice', () => {
    expect(faultsOf('channel_sku,sku,sku\nS,A,B\n')).toEqual([expect.stringMatching(/sku is there twice$/)]);
  });

  test('is read the same slice by slice, wherever the slices end', async () => {
    const rows = Array.from(
      { length: 9_000 },
      (_, index) => `S-é${index},"Ü ""${index}""",${1 + (index % 9)}`,
    );
    const content = `channel_sku,sku,units\n${rows.join('\n')}\n`;
    const sliced = await readListingRows(Buffer.from(content));
    expect(Buffer.byteLength(content)).toBeGreaterThan(3 * 64 * 1024);
    expect(sliced.faults.size).toBe(0);
    expect(sliced.drafts().map(({ lines: _lines, ...draft }) => draft)).toEqual(read(content));
    expect(sliced.lines.at(-1)).toEqual({ line: 9_001, channelSku: 'S-é8999' });
  });

  test('that is not to be parsed is refused slice by slice as well', async () => {
    for (const content of [
      'channel_sku,sku\n"S,A\n',
      'sku\nA\n',
      Buffer.from('channel_sku,sku\ncaf\xe9,A', 'latin1'),
    ])
      await expect(readListingRows(Buffer.from(content))).rejects.toThrow(ListingsFileError);
  });

  test('keeps what quotes hold', () => {
    expect(read('channel_sku,sku,units\n"S, ""1""",A,1\n')[0]!.channelSku).toBe('S, "1"');
  });

  test('of a header alone maps nothing', () => {
    expect(read('channel_sku,sku,units\n')).toEqual([]);
  });

  test('takes names that every object has', () => {
    const names = ['constructor', '__proto__', 'toString'];
    expect(read(`channel_sku,sku\n${names.map((name) => `${name},${name}`).join('\n')}\n`)).toEqual(
      names.map((name) => ({ channelSku: name, components: [{ sku: name, units: 1 }] })),
    );
  });

  test.each(['0', '-1', '1.5', 'six', '1e9', '0x10x', 'NaN', 'Infinity', '1000001'])(
    'is refused with %s units',
    (units) => {
      expect(faultsOf(`channel_sku,sku,units\nS,A,${units}\n`)).toEqual([
        'line 2: units must be a whole number from 1 to 1000000',
      ]);
    },
  );

  test.each([
    ['no channel SKU', ',A,1', /line 2: channel_sku must be/],
    ['no SKU', 'S,,1', /line 2: sku must be/],
    ['a SKU that is too long', `S,${'x'.repeat(101)},1`, /line 2: sku must be/],
    ['a SKU with a control character', 'S,A\u0007,1', /line 2: sku must be/],
    ['a channel SKU over two lines', '"S\nT",A,1', /channel_sku must be/],
    ['one SKU twice in a bundle', 'S,A,1\nS,A,2', /line 3: S names A twice/],
    ['too few columns', 'S', /line 2/i],
    ['too many columns', 'S,A,1,2', /line 2/i],
    ['a quote that does not end', '"S,A,1', /quote/i],
  ])('is refused with %s', (_name, rows, says) => {
    expect(faultsOf(`channel_sku,sku,units\n${rows}\n`)).toEqual([expect.stringMatching(says)]);
  });

  test('names every fault with its line, and the file', () => {
    const content = 'channel_sku,sku,units\n,A,1\nS,A,1\n\nS-2,,1\nS-3,A,0\n';
    expect(faultsOf(content).map((fault) => fault.slice(0, 7))).toEqual(['line 2:', 'line 5:', 'line 6:']);
    expect(() => read(content)).toThrow(file);
  });

  test.each([
    ['nothing', '', 'channel_sku and sku is missing'],
    ['no header', 'S,A,1\n', 'channel_sku and sku is missing'],
    ['half a header', 'channel_sku,units\nS,1\n', 'sku is missing'],
  ])('with %s says what its header must be', (_name, content, says) => {
    const faults = content === '' ? undefined : faultsOf(content);
    if (faults)
      expect(faults).toEqual([
        `line 1: the header must be channel_sku,sku and, where wanted, units,cap,buffer_units,buffer_percent; ${says}`,
      ]);
    else expect(read(content)).toEqual([]);
  });

  test('that is not there is refused', () => {
    expect(() => readListings(join(folder, 'none.csv'))).toThrow(ListingsFileError);
  });

  test('of bytes that are no UTF-8 is refused', () => {
    expect(faultsOf(Buffer.from('channel_sku,sku,units\ncaf\xe9,A,1\n', 'latin1'))).toEqual([
      expect.stringMatching(/UTF-8/),
    ]);
  });
});
