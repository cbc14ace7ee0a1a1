/** The environment of processes that tests start: without variables of `make` or a person, but with Node's compile cache. */
export const environment = { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE };
