import { randomUUID } from 'node:crypto';
import type { PublishedQuantityService } from '../buffers/published-quantity.service';
import type { Waterfall } from '../buffers/waterfall';
import type { InventoryUpdate } from '../channel-api';
import type { ReadyChannel } from '../channels/channels.service';
import type { Listing, ListingsService } from '../channels/listings.service';
import type { ClaimedListing } from './push-claims';

/** One quantity to be sent, for one of the channel's locations where it keeps stock by location. */
export interface PlannedPush {
  claimed: ClaimedListing;
  listing: Listing;
  /** '' stands for the channel as a whole. */
  channelLocation: string;
  waterfall: Waterfall;
  update: InventoryUpdate;
  /** What the channel took last, as far as is known. */
  previous: number | null;
}

/** The channel's own locations that a listing's quantity is sent for. */
export function locationsOf({ capabilities, config }: ReadyChannel): string[] {
  const mapped = Object.keys(config.locations);
  return capabilities.stockByLocation && mapped.length > 0 ? mapped : [''];
}

/**
 * What has to be sent for the claimed listings, computed at this moment. Nothing for what the channel took
 * last anyway, unless it is forced, and nothing for a listing that is mapped no more.
 */
export async function planPushes(
  channel: ReadyChannel,
  claimed: readonly ClaimedListing[],
  { listings, published }: { listings: ListingsService; published: PublishedQuantityService },
): Promise<PlannedPush[]> {
  const locations = locationsOf(channel);
  // What was just mapped, perhaps on another host, must not be taken for what is mapped no more.
  await listings.reloadOlder(claimed.map(({ listingId: id, revision }) => ({ id, revision })));
  const wanted = claimed.flatMap((each) => {
    const listing = listings.get(each.listingId);
    return listing ? locations.map((channelLocation) => ({ claimed: each, listing, channelLocation })) : [];
  });
  const waterfalls = await published.computeFor(
    wanted.map(({ listing, channelLocation }) => ({
      listing,
      ...(channelLocation !== '' && { channelLocation }),
    })),
  );
  const planned = wanted.map((each, index) => withUpdate(each, waterfalls[index]!));
  return planned.filter(
    ({ claimed: { forced }, previous, update }) => forced || previous !== update.quantityUnits,
  );
}

function withUpdate(
  wanted: Pick<PlannedPush, 'claimed' | 'listing' | 'channelLocation'>,
  waterfall: Waterfall,
): PlannedPush {
  const { claimed, listing, channelLocation } = wanted;
  const known = claimed.known.get(channelLocation);
  const believedUnits = known?.believedUnits ?? null;
  const update: InventoryUpdate = {
    pushId: randomUUID(),
    channelSku: listing.channelSku,
    quantityUnits: waterfall.quantity,
    ...(channelLocation !== '' && { channelLocation }),
    ...(believedUnits !== null && { believedUnits }),
  };
  return { ...wanted, waterfall, update, previous: known?.pushedUnits ?? null };
}
