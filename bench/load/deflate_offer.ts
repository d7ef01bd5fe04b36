/** permessage-deflate (RFC 7692) as it is offered: no message needs an earlier one, whoever sends it. */
export const DEFLATE_OFFER = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

const AGREEMENT = /^permessage-deflate\b.*;\s*server_no_context_takeover\b/;

/** Throws unless the server has agreed to what was offered, or has chosen nothing when nothing was. */
export function checkAgreement(extensions: string | undefined, isOffered: boolean): void {
  if (isOffered ? AGREEMENT.test(extensions ?? "") : extensions === undefined) return;
  throw new Error(
    `Cannot upgrade: the server chose extensions "${extensions ?? ""}" where "${
      isOffered ? DEFLATE_OFFER : ""
    }" was offered`,
  );
}
