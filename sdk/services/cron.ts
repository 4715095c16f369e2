/** Scheduled work (ClawGo §1.8): jobs that say something to an agent, or to a channel, at a time or again and again. */
import type { Identity } from "../identity.ts";
import { defineService } from "../service.ts";

/** When a job runs. */
export interface CronSchedule {
  /** `cron`: by `expr`; `every`: each `everyMs`; `at`: once, at `atMs`. */
  readonly kind: "cron" | "every" | "at";
  /** Milliseconds since 1970. */
  readonly atMs?: number;
  readonly everyMs?: number;
  /** Five fields, or `@daily`, `@every 5m` … */
  readonly expr?: string;
  /** Time zone of `expr`; absent: the gateway's own. */
  readonly tz?: string;
}

/** What a job does. */
export interface CronPayload {
  readonly kind: "agent_turn";
  readonly message: string;
  /** The reply goes to `channel` and `to`. */
  readonly deliver: boolean;
  readonly channel?: string;
  readonly to?: string;
}

/** How it went so far. */
export interface CronState {
  readonly nextRunAtMs?: number;
  readonly lastRunAtMs?: number;
  readonly lastStatus?: "ok" | "error";
  readonly lastError?: string;
  readonly lastDurationMs?: number;
  readonly totalRuns?: number;
  readonly totalFailures?: number;
  readonly consecutiveFailures?: number;
}

/** A scheduled job. */
export interface CronJob {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly schedule: CronSchedule;
  readonly payload: CronPayload;
  readonly state: CronState;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  readonly deleteAfterRun: boolean;
}

/** A job to make. */
export interface NewCronJob {
  readonly name: string;
  readonly schedule: CronSchedule;
  readonly payload: CronPayload;
  /** Default true. */
  readonly enabled?: boolean;
  /** Default false. */
  readonly deleteAfterRun?: boolean;
}

/** Keeps jobs and runs them. Changes are durable when they resolve. Throws GatewayError for a schedule that is none. */
export interface Cron {
  list(): Promise<readonly CronJob[]>;
  get(id: string): Promise<CronJob | undefined>;
  /** `by` is who the job runs as: it never may do more. */
  create(job: NewCronJob, by: Identity): Promise<CronJob>;
  /** False when there is no such job. */
  remove(id: string): Promise<boolean>;
  /** False when there is no such job. */
  enable(id: string, enabled: boolean): Promise<boolean>;
}

/** Name it in `needs`. */
export const cron = defineService<Cron>("cron", "1.0.0");
