// SPDX-License-Identifier: MIT
#include "tests/ui/support/fakefiles.h"
#include "ui/files/filetreemodel.h"

#include <QAbstractItemModelTester>
#include <QMimeData>
#include <QPersistentModelIndex>
#include <QSignalSpy>
#include <QTest>
#include <QUrl>

using namespace isol8;
using namespace isol8::tests;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// The tree of a session's files: lazily listed, kept in place when it is listed again.
class TestFileTreeModel : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup() { m_model.reset(); }

    void listsWhatIsOpened();
    void sortsFoldersFirst();
    void refreshKeepsWhatStays();
    void hostileNamesAreEscaped();
    void missingSessionIsEmpty();
    void failureIsTold();
    void otherPlaceBeginsAnew();
    void takesDroppedFiles();

private:
    [[nodiscard]] QStringList names(const QModelIndex& parent = {}) const;
    [[nodiscard]] QModelIndex child(const QString& name, const QModelIndex& parent = {}) const;
    void open(const QModelIndex& folder = {});

    std::shared_ptr<FakeFiles> m_files;
    std::unique_ptr<FileTreeModel> m_model;
};

void TestFileTreeModel::init()
{
    m_files = std::make_shared<FakeFiles>();
    m_files->add(u"/sandbox/b.txt"_s, "bb");
    m_files->add(u"/sandbox/a.txt"_s, "a");
    m_files->add(u"/sandbox/folder/inner/deep.txt"_s, "deep");
    m_model = std::make_unique<FileTreeModel>(nullptr);
    auto* tester = new QAbstractItemModelTester(
        m_model.get(), QAbstractItemModelTester::FailureReportingMode::Fatal, m_model.get());
    tester->setUseFetchMore(false); // It would open every folder.
    m_model->setPlace({ m_files, u"local"_s, u"s"_s });
}

QStringList TestFileTreeModel::names(const QModelIndex& parent) const
{
    QStringList names;
    for (int row = 0; row < m_model->rowCount(parent); ++row)
        names << m_model->index(row, 0, parent).data().toString();
    return names;
}

QModelIndex TestFileTreeModel::child(const QString& name, const QModelIndex& parent) const
{
    return m_model->index(int(names(parent).indexOf(name)), 0, parent);
}

void TestFileTreeModel::open(const QModelIndex& folder)
{
    QSignalSpy listed(m_model.get(), &FileTreeModel::listed);
    if (m_model->canFetchMore(folder))
        m_model->fetchMore(folder);
    QTRY_VERIFY(!listed.isEmpty() || !m_model->canFetchMore(folder));
    QTRY_VERIFY(!names(folder).isEmpty());
}

void TestFileTreeModel::listsWhatIsOpened()
{
    open();
    QVERIFY(!m_files->listed.contains(u"/sandbox/folder"_s));
    const auto folder = child(u"folder"_s);
    QVERIFY(m_model->hasChildren(folder));
    open(folder);
    QCOMPARE(names(folder), QStringList { u"inner"_s });
    const auto inner = child(u"inner"_s, folder);
    open(inner);
    const auto deep = child(u"deep.txt"_s, inner);
    QCOMPARE(m_model->path(deep), u"/sandbox/folder/inner/deep.txt"_s);
    QCOMPARE(m_model->folderPath(deep), u"/sandbox/folder/inner"_s);
    QVERIFY(!m_model->hasChildren(deep));
    QVERIFY(deep.siblingAtColumn(FileTreeModel::Size).data().toString().contains(u'4'));
}

void TestFileTreeModel::sortsFoldersFirst()
{
    open();
    QCOMPARE(names(), (QStringList { u"folder"_s, u"a.txt"_s, u"b.txt"_s }));
}

void TestFileTreeModel::refreshKeepsWhatStays()
{
    open();
    open(child(u"folder"_s));
    const QPersistentModelIndex folder(child(u"folder"_s));
    const QPersistentModelIndex b(child(u"b.txt"_s));
    const QPersistentModelIndex a(child(u"a.txt"_s));
    m_files->remove(u"/sandbox/a.txt"_s);
    m_files->add(u"/sandbox/aa.txt"_s, "new");
    m_files->add(u"/sandbox/folder/more.txt"_s, "new");
    m_model->refresh();
    QTRY_COMPARE(names(), (QStringList { u"folder"_s, u"aa.txt"_s, u"b.txt"_s }));
    QTRY_COMPARE(names(folder), (QStringList { u"inner"_s, u"more.txt"_s }));
    QVERIFY(!a.isValid());
    QCOMPARE(b.data().toString(), u"b.txt"_s);
}

void TestFileTreeModel::hostileNamesAreEscaped()
{
    m_files->add(u"/sandbox/\u202egpj.exe"_s, "x");
    m_files->add(u"/sandbox/two\nlines"_s, "x");
    open();
    QVERIFY(names().contains(u"\\u202egpj.exe"_s));
    QVERIFY(names().contains(u"two\\nlines"_s));
    QCOMPARE(m_model->path(child(u"two\\nlines"_s)), u"/sandbox/two\nlines"_s);
}

void TestFileTreeModel::missingSessionIsEmpty()
{
    QSignalSpy failed(m_model.get(), &FileTreeModel::failed);
    m_files->listError = Error { Kind::NotFound, u"no such session"_s };
    m_model->fetchMore({});
    QTRY_VERIFY(!m_model->canFetchMore({}));
    QTRY_COMPARE(m_files->listed.size(), 1);
    QVERIFY(names().isEmpty());
    QVERIFY(failed.isEmpty());
}

void TestFileTreeModel::failureIsTold()
{
    QSignalSpy failed(m_model.get(), &FileTreeModel::failed);
    m_files->listError = Error { Kind::Unreachable, u"gone"_s };
    m_model->fetchMore({});
    QTRY_COMPARE(failed.size(), 1);
    m_files->listError.reset();
    m_model->refresh();
    QTRY_COMPARE(names().size(), 3);
}

void TestFileTreeModel::otherPlaceBeginsAnew()
{
    m_model->fetchMore({});
    const auto other = std::make_shared<FakeFiles>();
    other->add(u"/sandbox/other.txt"_s, "x");
    m_model->setPlace({ other, u"local"_s, u"t"_s });
    open();
    QCOMPARE(names(), QStringList { u"other.txt"_s });
    m_model->setPlace({});
    QVERIFY(names().isEmpty());
    QVERIFY(!m_model->canFetchMore({}));
}

void TestFileTreeModel::takesDroppedFiles()
{
    open();
    QSignalSpy dropped(m_model.get(), &FileTreeModel::dropped);
    QMimeData data;
    data.setUrls({ QUrl::fromLocalFile(u"/tmp/x"_s), QUrl(u"https://example.test/y"_s) });
    QVERIFY(m_model->canDropMimeData(&data, Qt::CopyAction, -1, -1, {}));
    QVERIFY(m_model->dropMimeData(&data, Qt::CopyAction, -1, -1, child(u"a.txt"_s)));
    QCOMPARE(dropped.size(), 1);
    QCOMPARE(dropped[0][0].toStringList(), QStringList { u"/tmp/x"_s });
    QCOMPARE(dropped[0][1].toString(), u"/sandbox"_s);
    QVERIFY(m_model->dropMimeData(&data, Qt::CopyAction, -1, -1, child(u"folder"_s)));
    QCOMPARE(dropped[1][1].toString(), u"/sandbox/folder"_s);
}

QTEST_MAIN(TestFileTreeModel)
#include "tst_filetreemodel.moc"
