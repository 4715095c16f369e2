/** The part of oidc-provider that the simulator uses; the package brings no types. */
declare module "oidc-provider" {
  import type { RequestListener } from "node:http";

  interface Ctx {
    path: string;
    method: string;
    status: number;
    body: unknown;
    oidc?: { params?: Record<string, unknown> };
  }

  export class Provider {
    constructor(issuer: string, configuration: Record<string, unknown>);
    callback(): RequestListener;
    /** Of koa: errors are not printed. */
    silent: boolean;
    use(middleware: (ctx: Ctx, next: () => Promise<void>) => Promise<void>): void;
    on(event: string, listener: (...args: never[]) => void): void;
    readonly RefreshToken: { find(value: string): Promise<{ destroy(): Promise<void>; grantId: string } | undefined> };
  }
}
