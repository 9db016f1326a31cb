import { useLive } from '../live';
import type { ConsolePage } from '../pages';
import { Heading } from '../parts/basics';
import { ChoiceFilter, Filters } from '../parts/filters';
import { Tabs } from '../parts/tabs';
import { useQuery } from '../route';
import { ScopeNote } from '../session';
import { Suggestions } from './mapping-suggestions';
import { Unmapped } from './mapping-unmapped';
import '../parts/desk.css';

export const mappingPage: ConsolePage = {
  path: '/mapping',
  title: 'Mapping',
  group: 'Stock',
  needs: 'channels:read',
  View: Mapping,
};

/** What channels sell or show that nobody has mapped to one of our SKUs. */
function Mapping() {
  const { channels } = useLive();
  const [{ show = 'unmapped', channel: asked }] = useQuery();
  const channel = asked || channels?.[0]?.name;
  return (
    <>
      <Heading title="Mapping">
        A channel’s SKU that nobody has mapped is pushed nowhere, and its order lines wait. Once mapped, they
        are applied by themselves.
      </Heading>
      <ScopeNote needs="channels:write" to="map" />
      {channels?.length === 0 && <p class="notice empty">No channel is configured.</p>}
      {(channels?.length ?? 0) > 1 && (
        <Filters>
          <ChoiceFilter
            name="channel"
            label="Channel"
            choices={channels!.map(({ name }, at) => ({ value: at === 0 ? '' : name, text: name }))}
          />
        </Filters>
      )}
      {channel && (
        <>
          <Tabs
            label="Mapping"
            keep={['channel']}
            of={[
              { value: 'unmapped', text: 'Unmapped' },
              { value: 'suggestions', text: 'Suggestions' },
              { value: 'ignored', text: 'Ignored' },
              { value: 'dismissed', text: 'Turned down' },
            ]}
          />
          {show === 'suggestions' || show === 'dismissed' ? (
            <Suggestions key={`${channel} ${show}`} channel={channel} dismissed={show === 'dismissed'} />
          ) : (
            <Unmapped key={`${channel} ${show}`} channel={channel} ignored={show === 'ignored'} />
          )}
        </>
      )}
    </>
  );
}
