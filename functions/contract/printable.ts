/**
 * Makes untrusted text safe to show: on one line, without characters that move a terminal's cursor, set colours or
 * change the direction of the text around them (https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing).
 */
export const printable = (text: string) =>
  text.replace(/[\t-\r\u2028\u2029]+/g, ' ').replace(/[\p{Cc}\p{Cf}\p{Cs}]/gu, '\uFFFD');
