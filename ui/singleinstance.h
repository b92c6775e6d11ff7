// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>

#include <functional>

class QLocalServer;

namespace isol8::ui {

/// Lets a second `isol8 gui` hand its files to the first one of the same user and display.
class SingleInstance : public QObject {
    Q_OBJECT

public:
    /// @p name: of the socket, in a folder that is the user's own.
    explicit SingleInstance(const QString& name, QObject* parent = nullptr);
    ~SingleInstance() override;

    /// Calls @p done with true when another one took @p files and this one is to end, else with
    /// false; within some seconds.
    void handOver(const QStringList& files, std::function<void(bool isTaken)> done);
    /// Takes files from others from now on; false when that cannot be.
    bool listen();

    /// The socket's usual place; empty when the system has no folder for it.
    [[nodiscard]] static QString usualName();

Q_SIGNALS:
    void filesReceived(const QStringList& files);

private:
    void accept();

    QString m_name;
    QLocalServer* m_server;
};

} // namespace isol8::ui
