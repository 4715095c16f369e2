/**
 * The test kit: a real host in memory or on port 0, requests without a socket, log lines as objects, a fake clock
 * for `every`, and the census. The only file of the SDK that reaches the kernel; plugins never do.
 */
export * from "@chela/kernel/testing";
