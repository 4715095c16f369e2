/** What Vite turns into an address. */
declare module "*.svg" {
  const address: string;
  export default address;
}

/** A sheet as text, for an element that brings it along. */
declare module "*.css?inline" {
  const text: string;
  export default text;
}
