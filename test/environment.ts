/** Of a process that a test starts: nothing that `make` or a person has set, but where Node keeps what it has compiled. */
export const environment = { PATH: process.env.PATH, NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE };
