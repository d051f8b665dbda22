/** A number for each place of a file, 0 until one is set; memory is taken page by page where something is set. */

const PAGE = 1024;

export class PlaceNotes {
  readonly #pages = new Map<number, Uint32Array>();
  #number = -1;
  #page: Uint32Array | undefined;

  get(place: number): number {
    return this.#find(place)?.[place % PAGE] ?? 0;
  }

  /** `note` is below 2^32. */
  set(place: number, note: number): void {
    let page = this.#find(place);
    if (!page) {
      page = new Uint32Array(PAGE);
      this.#pages.set(this.#number, page);
      this.#page = page;
    }
    page[place % PAGE] = note;
  }

  #find(place: number): Uint32Array | undefined {
    const number = Math.floor(place / PAGE);
    if (number !== this.#number) {
      this.#number = number;
      this.#page = this.#pages.get(number);
    }
    return this.#page;
  }
}
