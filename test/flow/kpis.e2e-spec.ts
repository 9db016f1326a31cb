import { KPI_NAMES, WINDOWS } from '../../src/monitor/kpis';
import { startTestHost, type TestHost } from '../support/host';

let host: TestHost;

beforeAll(async () => {
  host = await startTestHost();
});

afterAll(() => host.close());

test.each(Object.entries(WINDOWS))(
  'of %s every figure is told, whatever has happened',
  async (window, windowSeconds) => {
    const { status, body } = await host.api.get<any>(`/v1/kpis?window=${window}`);
    expect({ status, body }).toMatchObject({ status: 200, body: { windowSeconds } });
    expect(body.items.map(({ name }: any) => name)).toEqual(KPI_NAMES);
    for (const name of KPI_NAMES)
      expect(await host.api.get(`/v1/kpis/history?window=${window}&name=${name}`)).toMatchObject({
        status: 200,
      });
  },
);
