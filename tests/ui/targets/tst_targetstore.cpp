// SPDX-License-Identifier: MIT
#include "ui/targets/targetstore.h"

#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace isol8;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// Saved servers.
class TestTargetStore : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { m_directory = std::make_unique<QTemporaryDir>(); }

    void beginsWithThisComputer();
    void keepsEditsAndRemoves();
    void refuses_data();
    void refuses();
    void damagedFileIsEmpty();

private:
    [[nodiscard]] QString path() const { return m_directory->filePath(u"servers.json"_s); }
    std::unique_ptr<QTemporaryDir> m_directory;
};

void TestTargetStore::beginsWithThisComputer()
{
    const TargetStore store(path());
    QCOMPARE(store.targets(), QList<Target> { localTarget() });
    QVERIFY(store.find(u"unknown"_s).isLocal());
}

void TestTargetStore::keepsEditsAndRemoves()
{
    const auto id = TargetStore::freshId();
    {
        TargetStore store(path());
        QSignalSpy changed(&store, &TargetStore::changed);
        QVERIFY(store.keep({ id, u" Lab "_s, u"https://lab.test:443/"_s }));
        QCOMPARE(changed.size(), 1);
        QVERIFY(store.keep({ TargetStore::freshId(), u"Other"_s, u"http://other.test:3000"_s }));
    }
    TargetStore store(path());
    QCOMPARE(store.targets().size(), 3);
    QCOMPARE(store.find(id).name, u"Lab"_s);
    QVERIFY(store.find(id).address.startsWith(u"https://lab.test"_s));
    QVERIFY(store.keep({ id, u"Renamed"_s, u"https://lab.test"_s }));
    QCOMPARE(store.targets().size(), 3);
    QCOMPARE(store.find(id).name, u"Renamed"_s);
    store.remove(id);
    QCOMPARE(store.targets().size(), 2);
}

void TestTargetStore::refuses_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<QString>("address");
    QTest::newRow("no name") << u"  "_s << u"https://lab.test"_s;
    QTest::newRow("long name") << QString(100, u'x') << u"https://lab.test"_s;
    QTest::newRow("no address") << u"Lab"_s << u""_s;
    QTest::newRow("another scheme") << u"Lab"_s << u"ftp://lab.test"_s;
    QTest::newRow("password") << u"Lab"_s << u"https://me:secret@lab.test"_s;
    QTest::newRow("file") << u"Lab"_s << u"file:///etc/passwd"_s;
}

void TestTargetStore::refuses()
{
    QFETCH(QString, name);
    QFETCH(QString, address);
    TargetStore store(path());
    const auto kept = store.keep({ u"1"_s, name, address });
    QVERIFY(!kept);
    QCOMPARE(kept.error().kind, Kind::Invalid);
    QCOMPARE(store.targets().size(), 1);
}

void TestTargetStore::damagedFileIsEmpty()
{
    QFile file(path());
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(R"([{"id":"1","name":"x","address":"nonsense"},7,"x",{"id":"2"}])");
    file.close();
    QCOMPARE(TargetStore(path()).targets().size(), 1);
}

QTEST_GUILESS_MAIN(TestTargetStore)
#include "tst_targetstore.moc"
