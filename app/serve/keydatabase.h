// SPDX-License-Identifier: MIT
#pragma once

#include "app/serve/keystore.h"
#include "app/serve/keystorelocation.h"

#include <QSqlDatabase>

class QSqlQuery;

namespace isol8::serve {

/// The blocking half of KeyStore: one connection, for one thread alone. A connection that was lost
/// is made anew at the next call. Failures are Kind::Unreachable.
class KeyDatabase {
public:
    explicit KeyDatabase(KeyStoreLocation location);
    Q_DISABLE_COPY_MOVE(KeyDatabase)
    ~KeyDatabase();

    /// Connects and brings the tables up to date. Makes a SQLite file that is not there, with mode
    /// 0600; later calls never do.
    [[nodiscard]] Result<> open();

    [[nodiscard]] Result<> insert(const KeyRecord& record, const QByteArray& hash);
    [[nodiscard]] Result<std::optional<KeyRecord>> find(const QByteArray& hash);
    [[nodiscard]] Result<QList<KeyRecord>> list(const std::optional<QString>& tenant);
    [[nodiscard]] Result<bool> remove(const QString& id);
    [[nodiscard]] Result<int> removeExpired();

private:
    /// Which file the connection is to.
    struct FileIdentity {
        quint64 device = 0;
        quint64 inode = 0;
        bool operator==(const FileIdentity&) const = default;
    };

    [[nodiscard]] Result<> connectToDatabase();
    [[nodiscard]] Result<> ensureOpen();
    [[nodiscard]] std::optional<FileIdentity> fileIdentity() const;
    void close();
    [[nodiscard]] Result<QSqlQuery> run(const QString& statement, const QVariantList& values);
    [[nodiscard]] Result<QSqlQuery> runOnce(const QString& statement, const QVariantList& values);
    [[nodiscard]] Error unreachable(const QString& reason) const;

    KeyStoreLocation m_location;
    QString m_name; ///< Of the connection among Qt's.
    QSqlDatabase m_database;
    std::optional<FileIdentity> m_file;
};

} // namespace isol8::serve
