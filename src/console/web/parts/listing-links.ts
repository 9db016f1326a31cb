import { linkTo } from '../route';

export function listingLink(
  channel: string,
  channelSku: string,
  query: Record<string, string | undefined> = {},
): string {
  return linkTo(`/listings/${encodeURIComponent(channel)}/${encodeURIComponent(channelSku)}`, query);
}

/** All listings of a channel. */
export function listingsLink(channel: string): string {
  return linkTo(`/listings/${encodeURIComponent(channel)}`);
}
