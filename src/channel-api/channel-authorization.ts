/**
 * A channel whose owner consents in a browser, by OAuth's authorization-code grant: the host shows where, takes what
 * came back, and hands the code on.
 * @see https://www.rfc-editor.org/rfc/rfc6749#section-4.1
 */
export interface ChannelAuthorization {
  /** Where the owner consents. `state` comes back beside the code. */
  consentUrl(state: string): string;
  /**
   * Exchanges a code for tokens and keeps them in `host.secrets`. A code is good once: one that was exchanged before
   * answers as it did then, on every host, and is not sent again. Throws a `ChannelError` that says what to do.
   */
  accept(code: string): Promise<void>;
  standing(): Promise<AuthorizationStanding>;
}

export interface AuthorizationStanding {
  /** False until the owner has consented. */
  isGiven: boolean;
  /** When they have to consent again, where that is known. */
  endsAt?: Date;
}
