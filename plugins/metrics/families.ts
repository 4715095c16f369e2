/** What `/metrics` says, as plain tables read from the gateway at the moment of the scrape: nothing is counted twice. */
import type { Gateway, GatewayStats, Plugins } from "@chela/sdk";
import type { LagFigures } from "./lag.ts";

interface Sample {
  /** Default: the family's name. */
  readonly name?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram";
  read(now: Snapshot): readonly Sample[];
}

export interface Snapshot {
  readonly gateway: Gateway;
  readonly plugins: Plugins;
  readonly stats: GatewayStats;
  readonly lag: LagFigures;
}

const one = (value: number): readonly Sample[] => [{ labels: {}, value }];

export const families: readonly Family[] = [
  counter("chela_http_requests_total", "Requests answered, by route pattern.", ({ stats }) =>
    stats.routes.map(({ method, route, status, count }) => ({
      labels: { method, route, status: `${status}` },
      value: count,
    })),
  ),
  {
    name: "chela_http_request_duration_seconds",
    help: "Time from the request's head to the end of its reply.",
    type: "histogram",
    read: ({ stats }) => durations(stats),
  },
  counter("chela_hook_calls_total", "Calls of a plugin's taps.", ({ stats }) => byHook(stats, ({ calls }) => calls)),
  counter("chela_hook_errors_total", "Taps that threw.", ({ stats }) => byHook(stats, ({ errors }) => errors)),
  counter("chela_hook_seconds_total", "Time spent in a plugin's taps.", ({ stats }) =>
    byHook(stats, ({ seconds }) => seconds),
  ),
  counter("chela_plugin_faults_total", "Faults attributed to a plugin.", ({ stats }) =>
    stats.faults.map(({ plugin, count }) => ({ labels: { plugin }, value: count })),
  ),
  gauge("chela_plugin_state", "1 for the state a plugin is in.", ({ plugins }) =>
    plugins.list().map(({ id, state, version }) => ({ labels: { plugin: id, state, version }, value: 1 })),
  ),
  gauge("chela_plugin_start_seconds", "How long a plugin's start took.", ({ gateway }) =>
    gateway.startup().map(({ id, ms }) => ({ labels: { plugin: id }, value: ms / 1000 })),
  ),
  counter("chela_reloads_total", "Changes of config or plugins, by result.", ({ stats }) =>
    stats.reloads.map(({ result, count }) => ({ labels: { result }, value: count })),
  ),
  gauge("chela_sockets", "Open WebSockets, by stream.", ({ stats }) =>
    stats.sockets.map(({ stream, open }) => ({ labels: { stream }, value: open })),
  ),
  gauge("chela_event_loop_lag_seconds", "Delay of the event loop since the last scrape.", ({ lag }) =>
    Object.entries(lag).map(([stat, value]) => ({ labels: { stat }, value })),
  ),
  gauge("chela_ready", "1 when every critical plugin runs.", ({ gateway }) => one(gateway.status().ready ? 1 : 0)),
  gauge("chela_generation", "Number of the composition that is live.", ({ gateway }) =>
    one(gateway.status().generation),
  ),
  gauge("chela_uptime_seconds", "Since the gateway started.", ({ gateway }) => one(gateway.status().uptimeMs / 1000)),
  gauge("chela_build_info", "Always 1.", ({ gateway }) => {
    const { version, node } = gateway.status();
    return [{ labels: { version, node }, value: 1 }];
  }),
  gauge("process_resident_memory_bytes", "Resident memory.", () => one(process.memoryUsage.rss())),
  gauge("nodejs_heap_used_bytes", "Heap in use.", () => one(process.memoryUsage().heapUsed)),
  counter("process_cpu_seconds_total", "CPU time, user and system.", () => {
    const { user, system } = process.cpuUsage();
    return one((user + system) / 1e6);
  }),
  gauge("process_start_time_seconds", "Start of the process, seconds since 1970.", () =>
    one(Math.round(performance.timeOrigin) / 1000),
  ),
];

function counter(name: string, help: string, read: Family["read"]): Family {
  return { name, help, type: "counter", read };
}

function gauge(name: string, help: string, read: Family["read"]): Family {
  return { name, help, type: "gauge", read };
}

function byHook(stats: GatewayStats, pick: (row: GatewayStats["hooks"][number]) => number): readonly Sample[] {
  return stats.hooks.map((row) => ({ labels: { plugin: row.plugin, hook: row.hook }, value: pick(row) }));
}

function durations({ buckets, routes }: GatewayStats): readonly Sample[] {
  const name = "chela_http_request_duration_seconds";
  return routes.flatMap((row) => {
    const labels = { method: row.method, route: row.route, status: `${row.status}` };
    const bounded = buckets.map((bound, index) => ({
      name: `${name}_bucket`,
      labels: { ...labels, le: `${bound}` },
      value: row.buckets[index] ?? 0,
    }));
    return [
      ...bounded,
      { name: `${name}_bucket`, labels: { ...labels, le: "+Inf" }, value: row.count },
      { name: `${name}_sum`, labels, value: row.seconds },
      { name: `${name}_count`, labels, value: row.count },
    ];
  });
}
