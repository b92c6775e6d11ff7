// SPDX-License-Identifier: MIT
#include "engine/images/workdirectory.h"

#include <QCoroTask>
#include <QDir>
#include <QTemporaryDir>
#include <QTest>

#include <sys/stat.h>

using namespace isol8;
using namespace Qt::StringLiterals;

class TestWorkDirectory : public QObject {
    Q_OBJECT

private:
    std::unique_ptr<QTemporaryDir> m_parent;

    QStringList children() const
    {
        return QDir(m_parent->path()).entryList(QDir::AllEntries | QDir::NoDotAndDotDot);
    }
    void makeTree(const QString& name) const
    {
        QVERIFY(QDir(m_parent->path()).mkpath(name + u"/a/b"_s));
        QFile file(m_parent->filePath(name + u"/a/b/file"_s));
        QVERIFY(file.open(QIODevice::WriteOnly));
        QVERIFY(QFile::link(m_parent->path(), m_parent->filePath(name + u"/a/link"_s)));
    }

private Q_SLOTS:
    void init()
    {
        m_parent = std::make_unique<QTemporaryDir>();
        QVERIFY(m_parent->isValid());
    }

    void goesWithItsObject()
    {
        {
            const auto made = WorkDirectory::create(m_parent->path());
            QVERIFY(made.has_value());
            QCOMPARE(children().size(), 1);
            makeTree(children().first());
            struct stat status {};
            QCOMPARE(::stat(QFile::encodeName((*made)->path()).constData(), &status), 0);
            QCOMPARE(status.st_mode & 07777, 0755u);
        }
        QCOMPARE(children(), QStringList());
    }

    void removesWhatADeadProcessLeft()
    {
        makeTree(u"isol8-images-dead01"_s);
        makeTree(u"somebody-elses"_s);
        QFile file(m_parent->filePath(u"isol8-images-file"_s));
        QVERIFY(file.open(QIODevice::WriteOnly));
        QVERIFY(QFile::link(
            m_parent->filePath(u"somebody-elses"_s), m_parent->filePath(u"isol8-images-link"_s)));
        {
            const auto living = WorkDirectory::create(m_parent->path());
            QVERIFY(living.has_value());
            WorkDirectory::removeAbandoned(m_parent->path());
            QVERIFY(!children().contains(u"isol8-images-dead01"_s));
            QVERIFY(QFile::exists((*living)->path()));
        }
        QCOMPARE(children(),
            (QStringList { u"isol8-images-file"_s, u"isol8-images-link"_s, u"somebody-elses"_s }));
        QVERIFY(QFile::exists(m_parent->filePath(u"somebody-elses/a/b/file"_s)));
    }

    void leavesWhatALivingOneUses()
    {
        const auto first = WorkDirectory::create(m_parent->path());
        const auto second = WorkDirectory::create(m_parent->path());
        QVERIFY(first.has_value());
        QVERIFY(second.has_value());
        QCOMPARE(children().size(), 2);
        QVERIFY((*first)->path() != (*second)->path());
    }

    void saysWhenThereIsNoParent()
    {
        const auto made = WorkDirectory::create(m_parent->filePath(u"missing"_s));
        QVERIFY(!made.has_value());
        QVERIFY(made.error().message.contains("missing"_L1));
    }

    void lockWaitsForTheOther()
    {
        const auto path = m_parent->filePath(u"lock"_s);
        auto first = QCoro::waitFor(FileLock::acquire(path, {}, {})).value_or(nullptr);
        QVERIFY(first);
        int waits = 0;
        const auto waiting = [&] {
            ++waits;
            QTimer::singleShot(0, [&first] { first.reset(); });
        };
        const auto second = QCoro::waitFor(FileLock::acquire(path, waiting, {}));
        QVERIFY(second.has_value());
        QVERIFY(!first);
        QCOMPARE(waits, 1);
    }

    void lockIsFreeAgainAfterwards()
    {
        const auto path = m_parent->filePath(u"lock"_s);
        for (int i = 0; i < 3; ++i) {
            const auto lock
                = QCoro::waitFor(FileLock::acquire(path, [] { QFAIL("nobody else has it"); }, {}));
            QVERIFY(lock.has_value());
        }
    }

    void waitingForALockIsCancelled()
    {
        const auto path = m_parent->filePath(u"lock"_s);
        const auto first = QCoro::waitFor(FileLock::acquire(path, {}, {}));
        QVERIFY(first.has_value());
        const CancelToken cancel;
        const auto second
            = QCoro::waitFor(FileLock::acquire(path, [cancel] { cancel.cancel(); }, cancel));
        QVERIFY(!second.has_value());
        QCOMPARE(second.error(), cancelled());
    }

    void lockFollowsNoLink()
    {
        const auto target = m_parent->filePath(u"target"_s);
        const auto path = m_parent->filePath(u"lock"_s);
        QVERIFY(QFile::link(target, path));
        const auto lock = QCoro::waitFor(FileLock::acquire(path, {}, {}));
        QVERIFY(!lock.has_value());
        QVERIFY(!QFile::exists(target));
    }
};

QTEST_GUILESS_MAIN(TestWorkDirectory)
#include "tst_workdirectory.moc"
