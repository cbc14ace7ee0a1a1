import type { Socket } from 'node:net';

/**
 * Connections, of which there are at most so many: one more ends the oldest of the address that has the most. So whoever
 * takes many takes them from himself.
 */
export class Connections {
  readonly #most: number;
  readonly #byAddress = new Map<string, Set<Socket>>();
  #count = 0;

  constructor(most: number) {
    this.#most = most;
  }

  add(socket: Socket): void {
    const address = socket.remoteAddress;
    // It has gone again.
    if (address === undefined) return void socket.destroy();
    const ofAddress = this.#byAddress.get(address) ?? new Set();
    this.#byAddress.set(address, ofAddress.add(socket));
    this.#count++;
    socket.once('close', () => this.#remove(address, socket));
    if (this.#count > this.#most) this.#endOne();
  }

  #endOne(): void {
    let largest: Set<Socket> | undefined;
    for (const sockets of this.#byAddress.values()) {
      if (!largest || sockets.size > largest.size) largest = sockets;
    }
    const [oldest] = largest ?? [];
    if (!oldest?.remoteAddress) return;
    this.#remove(oldest.remoteAddress, oldest);
    oldest.destroy();
  }

  #remove(address: string, socket: Socket): void {
    const ofAddress = this.#byAddress.get(address);
    if (!ofAddress?.delete(socket)) return;
    this.#count--;
    if (ofAddress.size === 0) this.#byAddress.delete(address);
  }
}
