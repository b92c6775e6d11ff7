// SPDX-License-Identifier: MIT
#pragma once

#include "engine/core/error.h"

#include <QMap>
#include <QObject>

#include <functional>

namespace isol8::ui {

/// The keys of saved servers: in the desktop's secret service where there is one, else in a file
/// that only its owner can read. Owned by Services.
class KeyStore : public QObject {
    Q_OBJECT

public:
    enum class Backend { Desktop, FileOnly };
    enum class Place { Desktop, File };

    KeyStore(const QString& filePath, Backend backend);

    /// Calls @p done with the key; Kind::NotFound when there is none. Later, on the event loop, or
    /// not at all when this is destroyed before.
    void find(const QString& id, std::function<void(const Result<QString>&)> done);
    /// Calls @p done with where it is kept now.
    void keep(
        const QString& id, const QString& key, std::function<void(const Result<Place>&)> done);
    void remove(const QString& id);

    [[nodiscard]] const QString& filePath() const { return m_filePath; }

Q_SIGNALS:
    void kept(const QString& id); ///< It is another one now.

private:
    [[nodiscard]] bool hasDesktop() const;
    [[nodiscard]] QMap<QString, QString> readFile() const;
    [[nodiscard]] Result<> writeFile(const QMap<QString, QString>& keys) const;
    [[nodiscard]] Result<QString> findInFile(const QString& id) const;
    [[nodiscard]] Result<Place> keepInFile(const QString& id, const QString& key) const;

    QString m_filePath;
    Backend m_backend;
};

} // namespace isol8::ui
