// SPDX-License-Identifier: MIT
#include "engine/images/buildcontext.h"

#include <KTar>

#include <QCoroTask>
#include <QTemporaryDir>
#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;

namespace {

constexpr mode_t programMode = 0100755;

QString permissionsOf(const KArchiveEntry* entry)
{
    return QString::number(entry->permissions() & 07777, 8);
}

} // namespace

class TestBuildContext : public QObject {
    Q_OBJECT

private:
    QTemporaryDir m_directory;

    QString archivePath() const { return m_directory.filePath(u"package.tgz"_s); }
    QString tarPath() const { return m_directory.filePath(u"context.tar"_s); }
    static Artifact artifact(const QString& from, const QString& to)
    {
        return { u"Thing"_s, u"thing"_s, u"1.0.0"_s, {}, from, to, { u"docs"_s } };
    }
    Result<> write(const BuildContext& context, const CancelToken& cancel = {}) const
    {
        return QCoro::waitFor(writeContext(context, tarPath(), cancel));
    }
    static const KArchiveFile* fileIn(const KTar& tar, const QString& path)
    {
        const auto* entry = tar.directory()->entry(path);
        return entry && entry->isFile() ? static_cast<const KArchiveFile*>(entry) : nullptr;
    }

private Q_SLOTS:
    void initTestCase()
    {
        KTar tar(archivePath(), u"application/gzip"_s);
        QVERIFY(tar.open(QIODevice::WriteOnly));
        QVERIFY(tar.writeFile(u"package/bin/tool"_s, QByteArray(3'000'000, 't'), programMode));
        QVERIFY(tar.writeFile(u"package/readme"_s, "read me", 0100600));
        QVERIFY(tar.writeFile(u"package/empty"_s, QByteArray()));
        QVERIFY(tar.writeFile(u"package/docs/page"_s, "page"));
        QVERIFY(tar.writeFile(u"package/lib/docs/kept"_s, "kept"));
        QVERIFY(tar.writeSymLink(u"package/link"_s, u"/etc/passwd"_s, {}, {}, 0120777));
        QVERIFY(tar.close());
    }

    void putsFilesAndLinksIn()
    {
        BuildContext context;
        context.files = { { u"Dockerfile"_s, "FROM x\n" }, { u"build/run"_s, "true" } };
        context.links = { { u"usr/bin/other"_s, u"tool"_s } };
        QVERIFY(write(context).has_value());
        KTar tar(tarPath());
        QVERIFY(tar.open(QIODevice::ReadOnly));
        QVERIFY(fileIn(tar, u"Dockerfile"_s));
        QCOMPARE(fileIn(tar, u"Dockerfile"_s)->data(), "FROM x\n");
        QCOMPARE(fileIn(tar, u"build/run"_s)->data(), "true");
        const auto* link = tar.directory()->entry(u"rootfs/usr/bin/other"_s);
        QVERIFY(link);
        QCOMPARE(link->symLinkTarget(), u"tool"_s);
    }

    void takesOneFileOfAnArchive()
    {
        BuildContext context;
        context.parts = { { archivePath(), artifact(u"package/bin/tool"_s, u"usr/bin/tool"_s) } };
        QVERIFY(write(context).has_value());
        KTar tar(tarPath());
        QVERIFY(tar.open(QIODevice::ReadOnly));
        const auto* tool = fileIn(tar, u"rootfs/usr/bin/tool"_s);
        QVERIFY(tool);
        QCOMPARE(tool->data(), QByteArray(3'000'000, 't'));
        QCOMPARE(permissionsOf(tool), u"755"_s);
        QCOMPARE(tool->user(), u"root"_s);
    }

    void takesADirectoryWithoutWhatIsLeft()
    {
        BuildContext context;
        context.parts = { { archivePath(), artifact(u"package"_s, u"opt/thing"_s) } };
        QVERIFY(write(context).has_value());
        KTar tar(tarPath());
        QVERIFY(tar.open(QIODevice::ReadOnly));
        QVERIFY(fileIn(tar, u"rootfs/opt/thing/bin/tool"_s));
        QVERIFY(fileIn(tar, u"rootfs/opt/thing/empty"_s));
        QCOMPARE(permissionsOf(fileIn(tar, u"rootfs/opt/thing/readme"_s)), u"644"_s);
        QVERIFY(fileIn(tar, u"rootfs/opt/thing/lib/docs/kept"_s));
        QVERIFY(!tar.directory()->entry(u"rootfs/opt/thing/docs"_s));
        QVERIFY(!tar.directory()->entry(u"rootfs/opt/thing/link"_s)); // links of packages stay out
    }

    void saysWhatIsMissing()
    {
        BuildContext context;
        context.parts = { { archivePath(), artifact(u"package/other"_s, u"usr/bin/tool"_s) } };
        const auto result = write(context);
        QVERIFY(!result.has_value());
        QCOMPARE(result.error().kind, Kind::Protocol);
        QVERIFY(result.error().message.contains("package/other"_L1));
    }

    void refusesWhatIsNoArchive()
    {
        const auto path = m_directory.filePath(u"broken.tgz"_s);
        QFile file(path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(QByteArray(5000, '?'));
        file.close();
        BuildContext context;
        context.parts = { { path, artifact(u"package"_s, u"opt"_s) } };
        const auto result = write(context);
        QVERIFY(!result.has_value());
        QCOMPARE(result.error().kind, Kind::Protocol);
    }

    void saysWhenItCannotWrite()
    {
        const auto nowhere = m_directory.filePath(u"missing/context.tar"_s);
        const auto result = QCoro::waitFor(writeContext({}, nowhere, {}));
        QVERIFY(!result.has_value());
        QCOMPARE(result.error().kind, Kind::Limit);
    }

    void isCancelled()
    {
        const CancelToken cancel;
        cancel.cancel();
        BuildContext context;
        context.parts = { { archivePath(), artifact(u"package"_s, u"opt"_s) } };
        const auto result = write(context, cancel);
        QVERIFY(!result.has_value());
        QCOMPARE(result.error(), cancelled());
    }
};

QTEST_GUILESS_MAIN(TestBuildContext)
#include "tst_buildcontext.moc"
