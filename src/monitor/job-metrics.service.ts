import { Injectable } from '@nestjs/common';
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { Config } from '../config/config';
import { type Role, ROLES } from '../config/role';
import { JobsService } from '../jobs/jobs.service';
import { LeaderService } from '../jobs/leader.service';
import { WakePostService } from '../jobs/wake-post.service';

/** From a push of one listing to a reconciliation of many pages. */
const SECONDS = [0.005, 0.02, 0.1, 0.5, 2, 10, 60, 300];
const QUEUED = ['waiting', 'active', 'failed'] as const;

/** What this host does, how its jobs run, and how they are woken. */
@Injectable()
export class JobMetricsService {
  constructor(
    private readonly jobs: JobsService,
    private readonly leader: LeaderService,
    private readonly post: WakePostService,
    private readonly config: Config,
  ) {}

  register(registry: Registry): void {
    const registers = [registry];
    const { jobs, leader, post } = this;
    countRuns(registers, jobs);
    new Gauge({
      name: 'onhand_jobs_running',
      help: 'Runs of jobs under way on this host',
      registers,
      collect() {
        this.set(jobs.depth);
      },
    });
    new Gauge({
      name: 'onhand_leader',
      help: '1 on the host that wakes recurring jobs',
      registers,
      collect() {
        this.set(leader.leads ? 1 : 0);
      },
    });
    countWakes(registers, post);
    showRoles(registers, this.config.roles);
    if (post.redis !== 'off') watchRedis(registers, post);
  }
}

function showRoles(registers: Registry[], roles: readonly Role[]): void {
  const role = new Gauge({
    name: 'onhand_role',
    help: '1 for the roles of this host',
    labelNames: ['role'],
    registers,
  });
  for (const each of ROLES) role.set({ role: each }, roles.includes(each) ? 1 : 0);
}

function countWakes(registers: Registry[], post: WakePostService): void {
  new Counter({
    name: 'onhand_wakes_total',
    help: 'Jobs woken on other hosts, by what carried the wake there',
    labelNames: ['by'],
    registers,
    collect() {
      this.reset();
      this.inc({ by: 'redis' }, post.counts.queue);
      this.inc({ by: 'postgresql' }, post.counts.notify);
    },
  });
}

function countRuns(registers: Registry[], jobs: JobsService): void {
  const failures = new Counter({
    name: 'onhand_job_failures_total',
    help: 'Runs of jobs on this host that threw',
    labelNames: ['job'],
    registers,
  });
  const durations = new Histogram({
    name: 'onhand_job_duration_seconds',
    help: 'How long runs of jobs on this host took',
    labelNames: ['job'],
    buckets: SECONDS,
    registers,
  });
  jobs.onRun(({ name, seconds, failed }) => {
    durations.observe({ job: name }, seconds);
    failures.inc({ job: name }, failed ? 1 : 0);
  });
}

function watchRedis(registers: Registry[], post: WakePostService): void {
  new Gauge({
    name: 'onhand_redis_up',
    help: '1 when Redis answers and takes what is written',
    registers,
    collect() {
      this.set(post.redis === 'up' ? 1 : 0);
    },
  });
  new Gauge({
    name: 'onhand_jobs_queued',
    help: 'Jobs in the queue of all hosts; absent while Redis does not answer',
    labelNames: ['state'],
    registers,
    async collect() {
      this.reset();
      const counts = await post.queued();
      for (const state of counts ? QUEUED : []) this.set({ state }, counts![state]);
    },
  });
}
