// SPDX-License-Identifier: MIT
#pragma once

#include <QtGlobal>

#include <optional>

#include <termios.h>

namespace isol8::cli {

struct TerminalSize {
    int rows = 24;
    int columns = 80;
};

/// Of the terminal behind standard output, input or error; none: the usual 24 by 80.
[[nodiscard]] TerminalSize terminalSize();

/// Standard input's terminal passes every key on as it is; restored at the end. Without a terminal
/// there it does nothing.
class RawTerminal {
public:
    RawTerminal();
    ~RawTerminal();
    Q_DISABLE_COPY_MOVE(RawTerminal)

private:
    std::optional<termios> m_previous;
};

} // namespace isol8::cli
