import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { NO_REASON, type OrderFile, parseOrders, readOrderFile } from './order-file';
import { OrderFileError } from './order-file.errors';

const HEADER = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,Country';
const TIME = '2010-12-01T08:26:00Z';

function parse(...lines: string[]): OrderFile {
  return parseOrders(Buffer.from([HEADER, ...lines, ''].join('\n')), 'orders.csv');
}

function faultsOf(bytes: Buffer | string): readonly string[] {
  try {
    parseOrders(Buffer.from(bytes), 'orders.csv');
  } catch (error) {
    if (error instanceof OrderFileError) return error.faults;
    throw error;
  }
  return [];
}

describe('documents', () => {
  test('an invoice is one document whose lines keep their places', () => {
    const file = parse(
      `536365,85123A,HOLDER,6,${TIME},2.55,United Kingdom`,
      `536365,POST,POSTAGE,1,${TIME},18,United Kingdom`,
      `536365,85123A,HOLDER,2,${TIME},2.55,United Kingdom`,
    );
    expect(file.documents).toEqual([
      {
        number: '536365',
        occurredAtMs: Date.parse(TIME),
        lines: [
          { index: 0, kind: 'ordered', sku: '85123A', quantityUnits: 6 },
          { index: 2, kind: 'ordered', sku: '85123A', quantityUnits: 2 },
        ],
      },
    ]);
  });

  test('an invoice with several dates has the first of them', () => {
    const file = parse(
      `536591,22086,CHAIN,1,2010-12-01T16:57:00Z,2,UK`,
      `536591,22087,CHAIN,1,2010-12-01T16:58:00Z,2,UK`,
    );
    expect(file.documents.map(({ occurredAtMs }) => new Date(occurredAtMs).toISOString())).toEqual([
      '2010-12-01T16:57:00.000Z',
    ]);
  });

  test('a C document returns, a negative unpriced line corrects a count, a positive one is given away', () => {
    const file = parse(
      `C536379,22086,CHAIN,-3,${TIME},2,UK`,
      `536589,21777,damages,-10,${TIME},0,UK`,
      `536590,21777,,-4,${TIME},0.00,UK`,
      `536591,21778,,7,${TIME},0,UK`,
    );
    expect(file.documents.map(({ lines }) => lines[0])).toEqual([
      { index: 0, kind: 'returned', sku: '22086', quantityUnits: 3 },
      { index: 0, kind: 'corrected', sku: '21777', quantityUnits: 10, reason: 'damages' },
      { index: 0, kind: 'corrected', sku: '21777', quantityUnits: 4, reason: NO_REASON },
      { index: 0, kind: 'ordered', sku: '21778', quantityUnits: 7 },
    ]);
  });

  test('codes that differ in case are different SKUs', () => {
    const file = parse(`1,85123A,HOLDER,6,${TIME},2,UK`, `1,85123a,holder,6,${TIME},2,UK`);
    expect([...file.skus]).toEqual([
      ['85123A', 'HOLDER'],
      ['85123a', 'holder'],
    ]);
  });

  test('a remark beside an unpriced line is not the name of the SKU', () => {
    const file = parse(
      `1,22086,damages,-6,${TIME},0,UK`,
      `2,22086,  PAPER   CHAIN ,6,${TIME},2,UK`,
      `3,22087,amazon,6,${TIME},0,UK`,
    );
    expect([...file.skus]).toEqual([
      ['22086', 'PAPER CHAIN'],
      ['22087', ''],
    ]);
  });
});

describe('lines that move no stock', () => {
  test('charges are counted by their code, and gift-shop codes are stock', () => {
    const codes = ['POST', 'POST', 'DOT', 'M', 'D', 'S', 'C2', 'AMAZONFEE', 'BANK CHARGES', 'DCGS0003'];
    const file = parse(...codes.map((code) => `536365,${code},X,1,${TIME},1,UK`));
    expect(file.unusable).toEqual({
      POST: 2,
      DOT: 1,
      M: 1,
      D: 1,
      S: 1,
      C2: 1,
      AMAZONFEE: 1,
      'BANK CHARGES': 1,
    });
    expect([...file.skus.keys()]).toEqual(['DCGS0003']);
  });

  test('lines whose sign says nothing sensible are counted, and their document stays', () => {
    const file = parse(`C1,22086,X,3,${TIME},2,UK`, `2,22086,X,-3,${TIME},2,UK`, `3,22086,X,0,${TIME},0,UK`);
    expect(file.unusable).toEqual({ 22086: 3 });
    expect(file.documents.map(({ number, lines }) => [number, lines.length])).toEqual([
      ['C1', 0],
      ['2', 0],
      ['3', 0],
    ]);
  });

  test('every line is either used or counted', () => {
    const file = parse(`1,22086,X,3,${TIME},2,UK`, `1,M,X,1,${TIME},2,UK`, `C2,22086,X,-1,${TIME},2,UK`);
    const used = file.documents.flatMap(({ lines }) => lines).length;
    const unusable = Object.values(file.unusable).reduce((sum, count) => sum + count, 0);
    expect(used + unusable).toBe(file.lines);
  });
});

describe('a malformed file', () => {
  test('without its columns is told which are missing', () => {
    expect(faultsOf('InvoiceNo,StockCode,Description,Price\n1,2,3,4\n')).toEqual([
      `line 1: the header lacks Quantity, InvoiceDate, UnitPrice, Country; it must name ${HEADER}`,
    ]);
  });

  test('is told every bad cell with its line, column and what is expected', () => {
    const lines = [
      `536365,85123A,HOLDER,six,${TIME},2.55,UK`,
      '536366,85123A,HOLDER,6,2010-02-30T08:26:00Z,2.55,UK',
      `,85123A,HOLDER,6,${TIME},free,UK`,
    ];
    expect(faultsOf([HEADER, ...lines].join('\n'))).toEqual([
      'line 2, Quantity: expected a whole number of units, such as 6 or -1, found "six"',
      'line 3, InvoiceDate: expected a time such as 2010-12-01T08:26:00Z or 12/1/2010 8:26, found "2010-02-30T08:26:00Z"',
      'line 4, InvoiceNo: expected a number of 1 to 30 characters, found ""',
      'line 4, UnitPrice: expected a price such as 2.55, found "free"',
    ]);
  });

  test('names twenty faults and counts the others', () => {
    const faults = faultsOf([HEADER, ...Array<string>(25).fill(`1,85123A,X,x,${TIME},1,UK`)].join('\n'));
    expect(faults).toHaveLength(21);
    expect(faults.at(-1)).toBe('and 5 more');
  });

  test('names the line where the CSV itself breaks', () => {
    expect(faultsOf(`${HEADER}\n1,85123A,X,1,${TIME},1,UK\n2,85123A,X\n`)).toEqual([
      expect.stringMatching(/^line 3: /),
    ]);
  });

  test('in another encoding is told how to convert it', () => {
    const latin = Buffer.from(`${HEADER}\n1,85123A,CAF\xc9,1,${TIME},1,UK\n`, 'latin1');
    expect(faultsOf(latin)).toEqual([expect.stringContaining('expected UTF-8')]);
  });

  test('that is empty or not there says so', () => {
    expect(faultsOf(`${HEADER}\n`)).toEqual(['expected at least one line below the header']);
    expect(() => readOrderFile('/no/such/file.csv')).toThrow(/expected a readable CSV file, found ENOENT/);
  });
});

describe('times', () => {
  test.each([
    ['12/1/2010 8:26', '2010-12-01T08:26:00.000Z'],
    ['2010-12-01 08:26:00', '2010-12-01T08:26:00.000Z'],
    ['2010-12-01T08:26:00+01:00', '2010-12-01T07:26:00.000Z'],
  ])('%s is %s', (written, expected) => {
    const { documents } = parse(`1,85123A,X,1,${written},1,UK`);
    expect(new Date(documents[0]!.occurredAtMs).toISOString()).toBe(expected);
  });
});

const realFile = resolve(process.env.ORDERS_FILE ?? '../shared/data/online-retail-2010-12.csv');
const hasRealFile = existsSync(realFile);
if (!hasRealFile) {
  process.stderr.write(
    `\nSKIPPED: the counts of the real file. Set ORDERS_FILE to online-retail-2010-12.csv to run them.\n`,
  );
}

(hasRealFile ? describe : describe.skip)('Online Retail, 1–13 December 2010 (ORDERS_FILE)', () => {
  test('has the counts that are known of it', () => {
    const file = readOrderFile(realFile);
    const lines = file.documents.flatMap((document) => document.lines);
    const linesOf = (kind: string) => lines.filter((line) => line.kind === kind).length;
    expect(file.lines).toBe(28_492);
    expect(file.documents).toHaveLength(1_275);
    expect(file.skus.size + Object.keys(file.unusable).length).toBe(2_605);
    expect(file.unusable).toEqual({
      POST: 40,
      DOT: 25,
      M: 25,
      AMAZONFEE: 7,
      C2: 5,
      D: 4,
      'BANK CHARGES': 2,
      S: 2,
    });
    expect([linesOf('ordered'), linesOf('returned'), linesOf('corrected')]).toEqual([27_915, 400, 67]);
  });
});
