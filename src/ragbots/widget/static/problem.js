/** What went wrong, in words for the person who asked: a title and what to do. */
export class Problem extends Error {
  constructor([title, detail], status = null) {
    super(detail);
    this.name = "Problem";
    this.title = title;
    this.status = status;
  }
}
