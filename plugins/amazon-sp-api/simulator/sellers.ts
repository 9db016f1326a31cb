import { type Handlers, ok } from './api-call';

/** The Sellers API, v1, of which the harmless call that proves an authorisation is used. */
export class Sellers {
  readonly handlers: Handlers = {
    getMarketplaceParticipations: () => ok({ payload: this.participations() }),
  };

  constructor(private readonly marketplaceIds: readonly string[]) {}

  private participations(): object[] {
    return this.marketplaceIds.map((id) => ({
      marketplace: {
        ...{ id, name: 'Amazon', countryCode: 'US', domainName: 'www.amazon.com' },
        ...{ defaultCurrencyCode: 'USD', defaultLanguageCode: 'en_US' },
      },
      participation: { isParticipating: true, hasSuspendedListings: false },
      storeName: 'Simulated store',
    }));
  }
}
