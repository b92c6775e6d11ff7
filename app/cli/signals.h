// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>

#include <memory>

class QSocketNotifier;

namespace isol8::cli {

/// Turns Unix signals into a Qt signal, through a pipe that the handler writes to. A signal that
/// was ignored when isol8 started (nohup, a background job) stays so. One at a time.
class SignalWatcher : public QObject {
    Q_OBJECT

public:
    explicit SignalWatcher(std::initializer_list<int> numbers, QObject* parent = nullptr);
    /// Restores what the signals did before.
    ~SignalWatcher() override;

Q_SIGNALS:
    void received(int number);

private:
    void read();

    struct Previous;
    std::vector<Previous> m_previous;
    int m_readEnd = -1;
    std::unique_ptr<QSocketNotifier> m_notifier;
};

} // namespace isol8::cli
