// SPDX-License-Identifier: MIT
#include "app/cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

namespace isol8::cli {

TerminalSize terminalSize()
{
    for (const int descriptor : { STDOUT_FILENO, STDIN_FILENO, STDERR_FILENO }) {
        winsize size {};
        if (::ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
            return { size.ws_row, size.ws_col };
    }
    return {};
}

RawTerminal::RawTerminal()
{
    termios current {};
    if (::tcgetattr(STDIN_FILENO, &current) != 0 || ::tcgetpgrp(STDIN_FILENO) != ::getpgrp())
        return;
    m_previous = current;
    ::cfmakeraw(&current);
    ::tcsetattr(STDIN_FILENO, TCSADRAIN, &current);
}

RawTerminal::~RawTerminal()
{
    if (m_previous)
        ::tcsetattr(STDIN_FILENO, TCSADRAIN, &*m_previous);
}

} // namespace isol8::cli
