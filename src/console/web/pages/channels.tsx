import { useLive } from '../live';
import type { ConsolePage } from '../pages';
import { Heading, Reading } from '../parts/basics';
import { channelState } from '../parts/channel-state';
import { Channels } from './overview';

export const channelsPage: ConsolePage = {
  path: '/channels',
  title: 'Channels',
  group: 'Now',
  needs: 'channels:read',
  waits: ({ channels }) =>
    channels && {
      count: channels.filter((channel) => channelState(channel).tone !== 'good').length,
      names: 'need a look',
    },
  View: ChannelList,
};

function ChannelList() {
  const { channels } = useLive();
  return (
    <>
      <Heading title="Channels">
        The shops and accounts that show this stock, and how far each is with it.
      </Heading>
      {channels ? <Channels channels={channels} /> : <Reading />}
    </>
  );
}
