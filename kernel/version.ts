/** The version of the host, which plugins name in their `host` range. Equal to the version of the package. */
export const hostVersion = "1.0.0";
