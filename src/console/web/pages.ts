import type { ComponentChildren } from 'preact';
import type { Live } from './live';
import { buffersPage } from './pages/buffers';
import { countPage } from './pages/count';
import { countsPage } from './pages/counts';
import { oversellsPage } from './pages/desk';
import { driftPage } from './pages/drift';
import { listingPage } from './pages/listing';
import { listingsPage } from './pages/listings';
import { mappingPage } from './pages/mapping';
import { activityPage } from './pages/activity';
import { alertsPage } from './pages/alerts';
import { channelPage } from './pages/channel';
import { channelsPage } from './pages/channels';
import { kpiPage } from './pages/kpi';
import { overviewPage } from './pages/overview';
import { parkedPage } from './pages/parked';
import { skuPage } from './pages/sku';
import { receiversPage } from './pages/receivers';
import { schedulePage } from './pages/schedule';
import { settingsPage } from './pages/settings';
import { stockPage } from './pages/stock';
import { taskPage } from './pages/task';
import { tasksPage } from './pages/tasks';
import type { Scope } from './session';

export interface ConsolePage {
  /** Behind `#`, with a `:name` for each part that varies. */
  path: string;
  title: string | ((params: Record<string, string>) => string);
  /** Where it stands in the navigation; a page without one is reached by links. */
  group?: Group;
  /** Without this scope the page says so instead of showing itself. */
  needs: Scope;
  /** What waits there, shown beside its link where there is any. */
  waits?: (live: Live) => { count: number; names: string } | undefined;
  View: (props: { params: Record<string, string> }) => ComponentChildren;
}

export const GROUPS = ['Now', 'Stock', 'Desk', 'Host'] as const;

type Group = (typeof GROUPS)[number];

/** In the order of the navigation. A page is one file under `pages/`, and one line here. */
export const PAGES: readonly ConsolePage[] = [
  overviewPage,
  kpiPage,
  alertsPage,
  channelsPage,
  channelPage,
  stockPage,
  skuPage,
  listingsPage,
  listingPage,
  mappingPage,
  buffersPage,
  countsPage,
  countPage,
  oversellsPage,
  driftPage,
  parkedPage,
  tasksPage,
  taskPage,
  schedulePage,
  activityPage,
  receiversPage,
  settingsPage,
];
