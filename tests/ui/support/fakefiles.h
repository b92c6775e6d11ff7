// SPDX-License-Identifier: MIT
#pragma once

#include "tests/app/serve/fakeengine.h"

namespace isol8::tests {

/// An Engine whose only session has a tree of files, by absolute path. Answers come from the event
/// loop.
class FakeFiles : public FakeEngine {
public:
    void add(const QString& path, const QByteArray& content) { contents[path] = content; }
    void remove(const QString& path) { contents.erase(path); }

    [[nodiscard]] Task<> putFile(
        QString sessionId, QString path, QByteArray content, Transfer transfer = {}) override;
    [[nodiscard]] Task<QByteArray> fetchFile(
        QString sessionId, QString path, Transfer transfer = {}) override;
    [[nodiscard]] Task<QList<FileEntry>> listFiles(QString sessionId, QString path) override;
    [[nodiscard]] Task<> removeFile(QString sessionId, QString path) override;
    [[nodiscard]] Task<> makeDirectory(QString sessionId, QString path) override;
    [[nodiscard]] Task<> renameFile(QString sessionId, QString from, QString to) override;

    std::map<QString, QByteArray> contents; ///< A folder without files ends in `/`.
    QStringList listed; ///< Paths, in their order.
    std::optional<Error> listError;
    std::optional<Error> putError;
    /// A put waits for its cancel.
    bool isPutHanging = false;
};

} // namespace isol8::tests
