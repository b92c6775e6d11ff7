// SPDX-License-Identifier: MIT
#include "tests/ui/support/fakefiles.h"

#include "engine/core/completion.h"

#include <QTimer>

#include <set>

namespace isol8::tests {

using namespace Qt::StringLiterals;

namespace {

/// Comes back from the event loop.
Task<> nextTurn()
{
    const Completion<> turn;
    QTimer::singleShot(0, [turn] { turn.deliver({}); });
    co_return co_await turn.wait();
}

Task<> untilCancelled(CancelToken cancel)
{
    const Completion<> ended;
    const auto registration = cancel.onCancel([ended] { ended.fail(cancelled()); });
    co_return co_await ended.wait();
}

} // namespace

Task<> FakeFiles::putFile(QString, QString path, QByteArray content, Transfer transfer)
{
    if (transfer.progress)
        transfer.progress(content.size() / 2, content.size());
    if (isPutHanging)
        co_return co_await untilCancelled(transfer.cancel);
    (void)co_await nextTurn();
    if (putError)
        co_return std::unexpected(*putError);
    contents[path] = content;
    co_return {};
}

Task<QByteArray> FakeFiles::fetchFile(QString, QString path, Transfer)
{
    (void)co_await nextTurn();
    const auto found = contents.find(path);
    if (found == contents.end())
        co_return failure(Kind::NotFound, u"there is no "_s + path);
    co_return found->second;
}

Task<QList<FileEntry>> FakeFiles::listFiles(QString, QString path)
{
    listed << path;
    (void)co_await nextTurn();
    if (listError)
        co_return std::unexpected(*listError);
    QList<FileEntry> entries;
    std::set<QString> folders;
    for (const auto& [full, content] : contents) {
        if (!full.startsWith(path + u'/'))
            continue;
        const auto rest = full.mid(path.size() + 1);
        const auto mark = rest.indexOf(u'/');
        if (mark < 0)
            entries << FileEntry { rest, FileEntry::Type::File, content.size(),
                QDateTime::fromSecsSinceEpoch(1), 0644 };
        else if (mark > 0 && folders.insert(rest.left(mark)).second)
            entries << FileEntry { rest.left(mark), FileEntry::Type::Directory, 0,
                QDateTime::fromSecsSinceEpoch(1), 0755 };
    }
    co_return entries;
}

Task<> FakeFiles::removeFile(QString, QString path)
{
    (void)co_await nextTurn();
    std::erase_if(contents, [&path](const auto& item) {
        return item.first == path || item.first.startsWith(path + u'/');
    });
    co_return {};
}

Task<> FakeFiles::makeDirectory(QString, QString path)
{
    (void)co_await nextTurn();
    contents[path + u"/"_s] = {};
    co_return {};
}

Task<> FakeFiles::renameFile(QString, QString from, QString to)
{
    (void)co_await nextTurn();
    auto node = contents.extract(from);
    if (node.empty())
        co_return failure(Kind::NotFound, u"there is no "_s + from);
    contents[to] = node.mapped();
    co_return {};
}

} // namespace isol8::tests
