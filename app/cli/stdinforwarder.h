// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>

#include <memory>

class QSocketNotifier;

namespace isol8 {
class Run;
}

namespace isol8::cli {

/// Passes isol8's own standard input on to a run as it comes: a terminal, pipe, socket, file or
/// nothing at all. Reads only as fast as the program does. @p run must outlive it.
class StdinForwarder : public QObject {
    Q_OBJECT

public:
    StdinForwarder(int descriptor, Run* run);
    ~StdinForwarder() override;

    /// Reads on after a stop (SIGCONT): a background job may not read its terminal.
    void resume();

private:
    void read();
    void end();

    int m_descriptor;
    Run* m_run;
    std::unique_ptr<QSocketNotifier> m_notifier;
    bool m_isEnded = false;
};

} // namespace isol8::cli
