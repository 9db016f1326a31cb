import type { HostClient } from './host-client';

/** A list of the API read to its end by its cursors; what is answered is what each page had. */
export async function pagesOf<T>(api: HostClient, path: string, limit: number): Promise<T[][]> {
  const pages: T[][] = [];
  const list = `${path}${path.includes('?') ? '&' : '?'}limit=${limit}`;
  for (let cursor: string | undefined = ''; cursor !== undefined;) {
    const next: { status: number; body: { items: T[]; nextCursor?: string } } = await api.get(
      cursor ? `${list}&cursor=${cursor}` : list,
    );
    expect(next.status).toBe(200);
    // A list that never ends would be read for ever.
    expect(next.body.nextCursor).not.toBe(cursor);
    pages.push(next.body.items);
    cursor = next.body.nextCursor;
  }
  return pages;
}
