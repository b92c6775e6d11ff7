// SPDX-License-Identifier: MIT
#pragma once

#include <QProcess>
#include <QTemporaryDir>

/// A real PostgreSQL or MariaDB in a directory of its own, with a user and a password, on a local
/// socket and a free port of 127.0.0.1. Ends with the object, or with the test program.
class DatabaseServer {
public:
    enum class Product { PostgreSql, MariaDb };

    explicit DatabaseServer(Product product);
    Q_DISABLE_COPY_MOVE(DatabaseServer)
    ~DatabaseServer();

    /// Makes the empty database and starts the server. Empty if that worked, else what went wrong.
    [[nodiscard]] QString create();
    /// Starts the server again after stop().
    [[nodiscard]] QString start();
    /// Ends the server and its connections.
    void stop();

    /// For KeyStore::open(), through the port or the local socket.
    [[nodiscard]] QString url() const;
    [[nodiscard]] QString socketUrl() const;

    static const QString password;

private:
    [[nodiscard]] QString run(const QStringList& command, const QByteArray& input = {});
    [[nodiscard]] QString startOnce();
    [[nodiscard]] QStringList unprivileged(const QStringList& command) const;
    [[nodiscard]] QString program(const QString& name) const;
    [[nodiscard]] QString createPostgreSql();
    [[nodiscard]] QString createMariaDb();
    [[nodiscard]] QString path(const QString& name) const;

    Product m_product;
    QTemporaryDir m_directory;
    QProcess m_process;
    quint16 m_port = 0;
};
