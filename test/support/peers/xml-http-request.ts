/**
 * XMLHttpRequest as browsers have it, over fetch: as much of it as the clients of browsers that tests run here need.
 * @see https://xhr.spec.whatwg.org
 */

/** The class. A refusal of the network ends with status 0. */
export class XmlHttpRequest {
  readyState = 0;
  status = 0;
  responseType: '' | 'arraybuffer' | 'json' = '';
  response: unknown = null;
  onloadstart: () => void = () => undefined;
  onreadystatechange: () => void = () => undefined;
  onloadend: () => void = () => undefined;
  readonly #headers: [name: string, value: string][] = [];
  #target = { method: 'GET', url: '' };
  #answered = new Headers();

  open(method: string, url: string): void {
    this.#target = { method: method.toUpperCase(), url };
  }

  setRequestHeader(name: string, value: string): void {
    this.#headers.push([name, value]);
  }

  getResponseHeader(name: string): string | null {
    return this.#answered.get(name);
  }

  getAllResponseHeaders(): string {
    return [...this.#answered].map(([name, value]) => `${name}: ${value}\r\n`).join('');
  }

  send(body?: ArrayBuffer): void {
    this.onloadstart();
    void this.#exchange(body).then(() => {
      this.readyState = 4;
      this.onreadystatechange();
      this.onloadend();
    });
  }

  async #exchange(body: ArrayBuffer | undefined): Promise<void> {
    const { method, url } = this.#target;
    try {
      const answer = await fetch(url, { method, headers: this.#headers, ...(body === undefined ? {} : { body }) });
      this.#answered = answer.headers;
      const bytes = await answer.arrayBuffer();
      this.response = readAs(this.responseType, bytes);
      this.status = answer.status;
    } catch {
      this.status = 0;
    }
  }
}

function readAs(type: XmlHttpRequest['responseType'], bytes: ArrayBuffer): unknown {
  if (type === 'arraybuffer') return bytes;
  const text = new TextDecoder().decode(bytes);
  if (type === '') return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}
