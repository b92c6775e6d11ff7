// SPDX-License-Identifier: MIT
#include "ui/targets/keystore.h"

#include <QFileInfo>
#include <QTemporaryDir>
#include <QTest>

#include <optional>

using namespace isol8;
using namespace isol8::ui;
using namespace Qt::StringLiterals;

/// Keys of servers where no desktop keeps them.
class TestKeyStoreUi : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void init() { m_directory = std::make_unique<QTemporaryDir>(); }

    void keepsFindsAndRemoves();
    void fileIsTheOwnersAlone();
    void linkIsNotFollowed();
    void damagedFileIsNoKey();
    void unwritableIsTold();
    void destroyedStoreCallsNobody();

private:
    [[nodiscard]] QString path() const { return m_directory->filePath(u"keys.json"_s); }
    [[nodiscard]] Result<QString> find(KeyStore& store, const QString& id);
    [[nodiscard]] Result<KeyStore::Place> keep(
        KeyStore& store, const QString& id, const QString& key);

    std::unique_ptr<QTemporaryDir> m_directory;
};

Result<QString> TestKeyStoreUi::find(KeyStore& store, const QString& id)
{
    std::optional<Result<QString>> found;
    store.find(id, [&found](const Result<QString>& key) { found = key; });
    if (found || !QTest::qWaitFor([&found] { return found.has_value(); }))
        qFatal("called from within, or never");
    return *found;
}

Result<KeyStore::Place> TestKeyStoreUi::keep(KeyStore& store, const QString& id, const QString& key)
{
    std::optional<Result<KeyStore::Place>> kept;
    store.keep(id, key, [&kept](const Result<KeyStore::Place>& place) { kept = place; });
    if (kept || !QTest::qWaitFor([&kept] { return kept.has_value(); }))
        qFatal("called from within, or never");
    return *kept;
}

void TestKeyStoreUi::keepsFindsAndRemoves()
{
    {
        KeyStore store(path(), KeyStore::Backend::FileOnly);
        QCOMPARE(find(store, u"a"_s).error().kind, Kind::NotFound);
        QCOMPARE(*keep(store, u"a"_s, u"key a"_s), KeyStore::Place::File);
        QCOMPARE(*keep(store, u"b"_s, u"key b"_s), KeyStore::Place::File);
    }
    KeyStore store(path(), KeyStore::Backend::FileOnly);
    QCOMPARE(*find(store, u"a"_s), u"key a"_s);
    store.remove(u"a"_s);
    QVERIFY(!find(store, u"a"_s));
    QCOMPARE(*find(store, u"b"_s), u"key b"_s);
}

void TestKeyStoreUi::fileIsTheOwnersAlone()
{
    KeyStore store(path(), KeyStore::Backend::FileOnly);
    QVERIFY(keep(store, u"a"_s, u"key"_s));
    QCOMPARE(QFileInfo(path()).permissions()
            & (QFile::ReadGroup | QFile::WriteGroup | QFile::ReadOther | QFile::WriteOther),
        QFile::Permissions());
}

void TestKeyStoreUi::linkIsNotFollowed()
{
    const auto elsewhere = m_directory->filePath(u"elsewhere"_s);
    QFile file(elsewhere);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(R"({"a":"theirs"})");
    file.close();
    QVERIFY(QFile::link(elsewhere, path()));
    KeyStore store(path(), KeyStore::Backend::FileOnly);
    QVERIFY(!find(store, u"a"_s));
    QVERIFY(keep(store, u"a"_s, u"mine"_s));
    QVERIFY(!QFileInfo(path()).isSymLink());
    QVERIFY(file.open(QIODevice::ReadOnly));
    QVERIFY(!file.readAll().contains("mine"));
}

void TestKeyStoreUi::damagedFileIsNoKey()
{
    QFile file(path());
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(R"({"a":)");
    file.close();
    KeyStore store(path(), KeyStore::Backend::FileOnly);
    QVERIFY(!find(store, u"a"_s));
    QVERIFY(keep(store, u"a"_s, u"key"_s));
    QCOMPARE(*find(store, u"a"_s), u"key"_s);
}

void TestKeyStoreUi::unwritableIsTold()
{
    KeyStore store(u"/dev/full/keys"_s, KeyStore::Backend::FileOnly);
    const auto kept = keep(store, u"a"_s, u"s3cret"_s);
    QVERIFY(!kept);
    QVERIFY(!kept.error().message.contains(u"s3cret"_s));
}

void TestKeyStoreUi::destroyedStoreCallsNobody()
{
    bool isCalled = false;
    {
        KeyStore store(path(), KeyStore::Backend::FileOnly);
        store.find(u"a"_s, [&isCalled](const Result<QString>&) { isCalled = true; });
    }
    QCoreApplication::processEvents();
    QVERIFY(!isCalled);
}

QTEST_GUILESS_MAIN(TestKeyStoreUi)
#include "tst_keystore_ui.moc"
