// SPDX-License-Identifier: MIT
#pragma once

#include <QObject>

class QLocalServer;

namespace isol8::ui {

/// Lets a second `isol8 gui` hand its files to the first one of the same user and display.
class SingleInstance : public QObject {
    Q_OBJECT

public:
    /// @p name: of the socket; names of other users' are never trusted, the folder is the user's own.
    explicit SingleInstance(const QString& name, QObject* parent = nullptr);
    ~SingleInstance() override;

    /// True: another one took @p files, and this one is to end.
    [[nodiscard]] bool handOver(const QStringList& files);
    /// Waits for others from now on; false when that cannot be.
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
