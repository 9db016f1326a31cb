import nock from 'nock';
import { OfficialRequests } from '../support/amazon-requests';
import { NEEDED, record, type Recording } from './amazon-sp-api';

const SANDBOX = 'https://sandbox.sellingpartnerapi-eu.amazon.com';
const environment = Object.fromEntries(NEEDED.map((name) => [name, `canary-${name}`]));

afterAll(() => nock.restore());

/** The recorder asks what the models name, so there is nothing to record without them. */
(OfficialRequests.load() ? it : it.skip)(
  'keeps what the sandbox answers to each pair of the models, refusals too, and no credentials',
  async () => {
    nock.disableNetConnect();
    const tokens = nock('https://api.amazon.com').persist().post('/auth/o2/token');
    tokens.reply(200, { access_token: 'a-token-given-out', expires_in: 3600 });
    nock(SANDBOX)
      .persist()
      .get(/TEST_CASE_400/)
      .reply(400, { errors: [{ code: 'InvalidInput', message: 'No.' }] });
    for (const method of ['get', 'post', 'patch', 'delete'] as const)
      nock(SANDBOX)
        .persist()
        [method](/.*/)
        .query(true)
        .reply(200, { of: `canary-${NEEDED[1]}` });
    const kept = new Map<string, Recording>();
    await record(
      { ...environment, AMAZON_REGION: 'eu' },
      async (name, recording) => void kept.set(name, recording),
    );
    nock.cleanAll();
    expect(kept.size).toBeGreaterThan(30);
    expect([...kept.keys()][0]).toMatch(/^001-[A-Z]+-/);
    const refused = [...kept.values()].filter(({ status }) => status === 400);
    expect(refused.length).toBeGreaterThan(0);
    expect(JSON.stringify([...kept])).not.toMatch(/canary|a-token-given-out/);
  },
);

it('says what it needs where it cannot record', async () => {
  const region = record({ ...environment, AMAZON_REGION: 'moon' }, async () => {});
  await expect(region).rejects.toThrow(/CONTRACTS_DIR|AMAZON_REGION/);
});
