// SPDX-License-Identifier: MIT
#pragma once

#include "ui/run/runplan.h"

#include <QObject>
#include <QTimer>

namespace isol8::ui {

/// The run options of each file, kept between sessions: those of the files that were used last.
/// Secrets' values stay in memory. Owned by Services.
class RunSettingsStore : public QObject {
    Q_OBJECT

public:
    explicit RunSettingsStore(const QString& path);
    ~RunSettingsStore() override;

    /// What a file without options of its own gets.
    void setDefaults(const ExecutionOptions& defaults) { m_defaults = defaults; }
    [[nodiscard]] RunSettings defaults() const;

    /// @p key: a file's path, or whatever else names a text.
    [[nodiscard]] RunSettings find(const QString& key) const;
    void keep(const QString& key, const RunSettings& settings);
    void forget(const QString& key);
    /// Writes what is due at once.
    void flush();

private:
    struct Entry {
        RunSettings settings;
        qint64 usedAt = 0; ///< Counts up.
    };

    void read();

    QString m_path;
    ExecutionOptions m_defaults;
    QHash<QString, Entry> m_entries;
    qint64 m_clock = 0;
    QTimer m_writer;
};

} // namespace isol8::ui
