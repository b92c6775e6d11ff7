// SPDX-License-Identifier: MIT
#pragma once

#include <QMap>
#include <QProcess>
#include <QTemporaryDir>

namespace isol8::tests {

struct Outcome {
    int exitCode = -1; ///< -1: it did not end by itself in time.
    QByteArray out;
    QByteArray err;
};

/// The program in an empty folder of an empty home directory, where no Docker answers.
class IsolatedProgram {
public:
    [[nodiscard]] Outcome run(
        const QStringList& arguments, const QMap<QString, QString>& variables = {}) const;
    /// A bash script with the program as "$ISOL8".
    [[nodiscard]] Outcome shell(const QString& script) const;

    void write(const QString& name, const QByteArray& content) const;
    [[nodiscard]] QString path(const QString& name) const { return m_work.filePath(name); }

private:
    void prepare(QProcess& process, const QMap<QString, QString>& variables) const;

    QTemporaryDir m_home;
    QTemporaryDir m_work;
};

} // namespace isol8::tests
