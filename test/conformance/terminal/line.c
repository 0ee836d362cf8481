/* Canonical reading: erase, kill, word erase, reprint, literal next, ends of line and file, echo in all its forms. */
#include "../programs/check.h"
#include "terminal.h"

int main(void) {
    ask("plain");
    ask("erase");
    ask("erase past the start");
    ask("kill");
    ask("word erase");
    ask("reprint");
    ask("literal next");
    ask("end of file in a line");
    ask("the rest of it");
    ask("end of file at the start");
    ask("two lines, first");
    ask_again("two lines, second");
    ask("control characters are echoed so");
    ask("tabs and erase");
    ask("return is newline");
    flags(0, ICRNL, 0, 0);
    ask("without ICRNL");
    flags(INLCR, ICRNL, 0, 0);
    ask("INLCR");
    flags(ICRNL | IGNCR, INLCR, 0, 0);
    ask("IGNCR");
    flags(ICRNL | IUCLC, IGNCR, 0, 0);
    ask("IUCLC");
    flags(ISTRIP, IUCLC, 0, 0);
    ask("ISTRIP");
    flags(0, ISTRIP, 0, ECHO);
    ask("no echo");
    flags(0, 0, ECHONL, 0);
    ask("ECHONL");
    flags(0, 0, ECHO, ECHONL | ECHOE);
    ask("without ECHOE");
    flags(0, 0, ECHOE, ECHOCTL);
    ask("without ECHOCTL");
    flags(0, 0, ECHOCTL, ECHOKE);
    ask("without ECHOKE, kill");
    flags(0, 0, ECHOKE, ECHOK);
    ask("without ECHOK, kill");
    flags(0, 0, ECHOK | ECHOPRT, 0);
    ask("ECHOPRT");
    flags(0, 0, 0, ECHOPRT | IEXTEN);
    ask("without IEXTEN");
    flags(0, 0, IEXTEN, 0);
    special(VEOL, 'E'), special(VEOL2, '2'), special(VERASE, '#'), special(VKILL, '@'), special(VEOF, 'Q');
    ask("other characters");
    ask_again("EOL2");
    ask_again("the rest");
    ask("EOF character");
    special(VERASE, 0);
    ask("disabled erase");
    return 0;
}
