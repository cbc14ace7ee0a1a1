/**
 * A text of strangers as it may be shown: on one line, and with nothing in it that moves a terminal's cursor, colours its
 * text or turns the direction of what stands beside it (https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing).
 */
export const printable = (text: string) =>
  text.replace(/[\t-\r\u2028\u2029]+/g, ' ').replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\uFFFD');
