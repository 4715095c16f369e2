/** Services: typed, versioned contracts between plugins. What two plugins share is a service, never an import. */

/** A contract. `T` is type-only; `id` and `version` are what the host matches. */
export interface Service<T> {
  readonly id: string;
  readonly version: string;
  /** Type carrier, never set. */
  readonly shape?: T;
}

/** A plugin's demand on a service. */
export interface Need<T, Optional extends boolean = boolean> {
  readonly service: string;
  readonly range: string;
  readonly optional: Optional;
  readonly shape?: T;
}

/** Names a contract: `defineService<Weather>("weather", "1.0.0")`. */
export function defineService<T>(id: string, version: string): Service<T> {
  return { id, version };
}

/**
 * `need(store, "^1.0.0")`. With `{ optional: true }` the plugin also runs without it: `ctx.use.x` is looked up at each use and
 * undefined while nobody provides it, and the plugin stays as it is when the service comes, goes or is replaced.
 */
export function need<T>(service: Service<T>, range: string): Need<T, false>;
export function need<T>(service: Service<T>, range: string, options: { optional: true }): Need<T, true>;
export function need<T>(service: Service<T>, range: string, options?: { optional?: boolean }): Need<T> {
  return { service: service.id, range, optional: options?.optional ?? false };
}

/** The services a plugin wants, by the name it gives them in `ctx.use`. */
export type Needs = Readonly<Record<string, Need<unknown>>>;

/** `ctx.use`: only what `needs` declares. */
export type Uses<N extends Needs> = {
  readonly [K in keyof N]: N[K] extends Need<infer T, infer O> ? (O extends true ? T | undefined : T) : never;
};
