// SPDX-License-Identifier: MIT
#include "engine/images/imagebuilder.h"

#include "engine/core/names.h"
#include "engine/core/owner.h"
#include "engine/docker/client.h"
#include "engine/images/imagejob.h"
#include "engine/images/imagelabels.h"
#include "engine/images/recipe.h"
#include "tests/support/localserver.h"

#include <KTar>
#include <KZip>

#include <QCoroTask>
#include <QCryptographicHash>
#include <QDir>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>
#include <QUuid>

using namespace isol8;
using namespace Qt::StringLiterals;
using test::LocalServer;

namespace {

const QList<Runtime> runtimes { Runtime::Python, Runtime::Node, Runtime::Bun, Runtime::Deno,
    Runtime::Bash };

/// A registry on loopback with one package for npm and one for pip.
void addPackages(LocalServer& server, const QString& directory)
{
    const auto archive = directory + u"/package.tgz"_s;
    KTar tar(archive, u"application/gzip"_s);
    QVERIFY(tar.open(QIODevice::WriteOnly));
    QVERIFY(tar.writeFile(u"package/package.json"_s,
        R"({"name":"isol8-fixture","version":"1.0.0","main":"index.js"})"));
    QVERIFY(tar.writeFile(u"package/index.js"_s, "module.exports = () => 42;\n"));
    QVERIFY(tar.close());
    QFile file(archive);
    QVERIFY(file.open(QIODevice::ReadOnly));
    const auto bytes = file.readAll();
    const auto sum = QCryptographicHash::hash(bytes, QCryptographicHash::Sha512).toBase64();
    const QJsonObject dist { { u"tarball"_s, server.url(u"/package.tgz"_s) },
        { u"integrity"_s, u"sha512-"_s + QString::fromLatin1(sum) } };
    const QJsonObject version { { u"name"_s, u"isol8-fixture"_s }, { u"version"_s, u"1.0.0"_s },
        { u"dist"_s, dist } };
    const QJsonObject document { { u"name"_s, u"isol8-fixture"_s },
        { u"dist-tags"_s, QJsonObject { { u"latest"_s, u"1.0.0"_s } } },
        { u"versions"_s, QJsonObject { { u"1.0.0"_s, version } } } };
    server.addBody(u"/isol8-fixture"_s, QJsonDocument(document).toJson(), "application/json");
    server.addBody(u"/package.tgz"_s, bytes);

    const auto wheelName = u"isol8_fixture-1.0.0-py3-none-any.whl"_s;
    KZip wheel(directory + u'/' + wheelName);
    QVERIFY(wheel.open(QIODevice::WriteOnly));
    const auto info = u"isol8_fixture-1.0.0.dist-info/"_s;
    QVERIFY(wheel.writeFile(u"isol8_fixture/__init__.py"_s, "answer = 42\n"));
    QVERIFY(wheel.writeFile(
        info + u"METADATA"_s, "Metadata-Version: 2.1\nName: isol8-fixture\nVersion: 1.0.0\n"));
    QVERIFY(wheel.writeFile(info + u"WHEEL"_s,
        "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"));
    QVERIFY(wheel.writeFile(info + u"RECORD"_s,
        "isol8_fixture/__init__.py,,\nisol8_fixture-1.0.0.dist-info/METADATA,,\n"
        "isol8_fixture-1.0.0.dist-info/WHEEL,,\nisol8_fixture-1.0.0.dist-info/RECORD,,\n"));
    QVERIFY(wheel.close());
    QFile wheelFile(directory + u'/' + wheelName);
    QVERIFY(wheelFile.open(QIODevice::ReadOnly));
    server.addBody(u"/simple/isol8-fixture/"_s,
        "<!DOCTYPE html><html><body><a href=\"/" + wheelName.toUtf8() + "\">" + wheelName.toUtf8()
            + "</a></body></html>",
        "text/html");
    server.addBody(u'/' + wheelName, wheelFile.readAll());
}

} // namespace

/// Builds with the real Docker, from the images that `isol8 setup` made. It never changes those.
class TestImageBuilder : public QObject {
    Q_OBJECT

private:
    std::shared_ptr<docker::Client> m_client;
    std::unique_ptr<LocalServer> m_server;
    std::unique_ptr<QTemporaryDir> m_fixtures;
    std::unique_ptr<QTemporaryDir> m_directory;
    ImageSettings m_settings;
    std::unique_ptr<ImageBuilder> m_builder;
    QString m_name; ///< Of this test's own images.
    QList<ImageEvent> m_events;

    QString tag(const QString& version = u"one"_s) const { return m_name + u':' + version; }

    ImageEventHandler recording()
    {
        return [this](const ImageEvent& event) { m_events << event; };
    }
    /// Records, and cancels at the first event whose text contains @p mark.
    ImageEventHandler cancellingAt(const QString& mark, const CancelToken& cancel)
    {
        return [this, mark, cancel](const ImageEvent& event) {
            m_events << event;
            if (event.text.contains(mark))
                cancel.cancel();
        };
    }

    /// The marks of the builds that the recorded events were about.
    QStringList buildIds() const
    {
        static const QRegularExpression mark(u"isol8.build=.([^ ]+ [0-9a-f-]{36})"_s);
        QStringList ids;
        for (const auto& event : m_events) {
            if (const auto match = mark.match(event.text); match.hasMatch())
                ids << match.captured(1);
        }
        return ids;
    }

    QString idOf(const QString& name) const
    {
        const auto details = QCoro::waitFor(m_client->inspectImage(name));
        return details ? details->id : QString();
    }

    void verifyNothingLeft() const
    {
        QCOMPARE(buildIds().size(), 1);
        const auto label = imagelabels::build + u'=' + buildIds().first();
        const auto containers = QCoro::waitFor(m_client->listContainers({ label }));
        QVERIFY(containers.has_value());
        QCOMPARE(containers->size(), 0);
        const auto images = QCoro::waitFor(m_client->listImages({ label }));
        QVERIFY(images.has_value());
        QCOMPARE(images->size(), 0);
        QCOMPARE(QDir(m_settings.workDirectory).entryList(QDir::AllEntries | QDir::NoDotAndDotDot),
            QStringList());
    }

    /// The exit code of @p command in a container of @p image.
    int run(const QString& image, const QStringList& command) const
    {
        docker::ContainerSpec spec;
        spec.image = image;
        spec.entrypoint = command;
        spec.user = u"100:101"_s;
        spec.workingDirectory = u"/sandbox"_s;
        spec.hasStdin = false;
        spec.isRemovedOnExit = false;
        spec.isNetworkDisabled = true;
        const auto id = QCoro::waitFor(m_client->createContainer(spec, {}));
        if (!id) {
            qWarning() << id.error().message;
            return -1;
        }
        const auto started = QCoro::waitFor(m_client->startContainer(*id));
        const auto code = started ? QCoro::waitFor(m_client->waitContainer(*id)) : Result<int>(-1);
        QCoro::waitFor(m_client->removeContainer(*id));
        return code.value_or(-1);
    }

    /// An image without a name, as a build of @p owner has it between two steps.
    QString unfinishedImage(const Owner& owner) const
    {
        BuildContext context;
        context.files = { { u"Dockerfile"_s,
            "FROM isol8:bash\nLABEL isol8.build=\"" + owner.toString().toLatin1() + " 1\"\n" } };
        docker::BuildSpec spec;
        spec.contextPath = m_directory->filePath(u"context.tar"_s);
        spec.isCacheUsed = false;
        if (!QCoro::waitFor(writeContext(context, spec.contextPath, {})))
            return {};
        return QCoro::waitFor(m_client->buildImage(spec, {})).value_or(QString());
    }

    QString build(const CustomImageSpec& spec)
    {
        const auto built = QCoro::waitFor(m_builder->buildCustom(spec, recording()));
        if (!built)
            qWarning() << built.error().message;
        return built.value_or(QString());
    }

private Q_SLOTS:
    void initTestCase()
    {
        const auto endpoint = docker::resolveEndpoint();
        QVERIFY(endpoint.has_value());
        m_client = std::make_shared<docker::Client>(*endpoint);
        m_server = std::make_unique<LocalServer>();
        QVERIFY(m_server->isListening());
        m_fixtures = std::make_unique<QTemporaryDir>();
        addPackages(*m_server, m_fixtures->path());
        // An old image here would be made anew under the feet of other tests.
        for (const auto runtime : runtimes) {
            const auto details = QCoro::waitFor(m_client->inspectImage(baseImageTag(runtime)));
            QVERIFY2(details.has_value(), "run `isol8 setup` first");
            const auto architecture
                = details->architecture == "arm64"_L1 ? Architecture::Arm64 : Architecture::Amd64;
            QVERIFY2(
                details->labels.value(imagelabels::hash) == recipeOf(runtime, architecture).hash(),
                "run `isol8 setup` first");
        }
        const auto base = QCoro::waitFor(m_client->inspectImage(sharedBaseTag()));
        QVERIFY(base.has_value());
        QVERIFY2(
            base->labels.value(imagelabels::hash) == baserecipe::hash(), "run `isol8 setup` first");
    }

    void init()
    {
        m_directory = std::make_unique<QTemporaryDir>();
        m_settings = {};
        m_settings.stateDirectory = m_directory->filePath(u"state"_s);
        m_settings.workDirectory = m_directory->filePath(u"work"_s);
        QVERIFY(QDir().mkpath(m_settings.workDirectory));
        m_settings.registries = { { Runtime::Node, m_server->url() },
            { Runtime::Bun, m_server->url() }, { Runtime::Python, m_server->url(u"/simple/"_s) } };
        m_builder = std::make_unique<ImageBuilder>(m_client, m_settings);
        m_name = u"isol8-test-"_s + QUuid::createUuid().toString(QUuid::Id128);
        m_events.clear();
    }

    void cleanup()
    {
        m_builder.reset();
        for (const auto& version : { u"one"_s, u"two"_s })
            QCoro::waitFor(m_client->removeImage(tag(version)));
    }

    void cleanupTestCase() { m_client.reset(); }

    void leavesAnImageThatIsUpToDate()
    {
        for (const auto runtime : runtimes) {
            m_events.clear();
            const auto before = idOf(baseImageTag(runtime));
            const auto built
                = QCoro::waitFor(m_builder->buildBase(runtime, Rebuild::IfChanged, recording()));
            QVERIFY2(built.has_value(), built ? "" : qPrintable(built.error().message));
            QVERIFY(!*built);
            QCOMPARE(idOf(baseImageTag(runtime)), before);
            QCOMPARE(m_events,
                (QList { ImageEvent { ImageEvent::Kind::Ready, baseImageTag(runtime) } }));
        }
    }

    void bakesAnNpmPackage()
    {
        const CustomImageSpec spec { tag(), Runtime::Node, { u"isol8-fixture"_s }, {} };
        const auto id = build(spec);
        QVERIFY(!id.isEmpty());
        QCOMPARE(idOf(tag()), id);
        QCOMPARE(
            run(tag(), { u"node"_s, u"-e"_s, u"process.exit(require('isol8-fixture')())"_s }), 42);
        QCOMPARE(run(tag(),
                     { u"node"_s, u"--input-type=module"_s, u"-e"_s,
                         u"import f from 'isol8-fixture'; process.exit(f());"_s }),
            42);

        // Once more: nothing is done.
        m_events.clear();
        QCOMPARE(build(spec), id);
        QCOMPARE(m_events, (QList { ImageEvent { ImageEvent::Kind::Ready, tag() } }));

        // Something else under that tag replaces it.
        auto changed = spec;
        changed.setupScript = u"touch /opt/changed"_s;
        const auto newId = build(changed);
        QVERIFY(!newId.isEmpty());
        QVERIFY(newId != id);
        QCOMPARE(idOf(id), QString());
    }

    void bakesAPythonPackage()
    {
        const auto id = build({ tag(), Runtime::Python, { u"isol8-fixture==1.0.0"_s }, {} });
        QVERIFY(!id.isEmpty());
        QCOMPARE(run(tag(),
                     { u"python3"_s, u"-c"_s,
                         u"import isol8_fixture, sys; sys.exit(isol8_fixture.answer)"_s }),
            42);
    }

    void runsTheScriptAsItIs()
    {
        const auto script = u"cat >/opt/text <<'END'\nUSER root\n\"$HOME\" `id` 'x' \\n\nEND\n"
                            "chmod 4755 /bin/ls\n# RUN exit 1"_s;
        QVERIFY(!build({ tag(), Runtime::Bash, {}, script }).isEmpty());
        const auto check
            = u"[ \"$(sed -n 2p /opt/text)\" = '\"$HOME\" `id` '\\''x'\\'' \\n' ] || exit 1\n"
              "[ -e /.isol8-build ] && exit 2\n"
              "[ -z \"$(find / -xdev -perm /6000 2>/dev/null)\" ] || exit 3\nexit 42"_s;
        QCOMPARE(run(tag(), { u"bash"_s, u"-c"_s, check }), 42);

        const auto images = QCoro::waitFor(m_builder->listCustom());
        QVERIFY(images.has_value());
        const auto found = std::ranges::find(*images, tag(), &CustomImage::tag);
        QVERIFY(found != images->end());
        QCOMPARE(found->runtime, Runtime::Bash);
        QCOMPARE(found->packages, QStringList());
        QCOMPARE(found->setupScript, script);
        QCOMPARE(found->id, idOf(tag()));
        QVERIFY(found->sizeBytes > 0);
    }

    void leavesNothingOfAFailedBuild()
    {
        const auto old = build({ tag(), Runtime::Bash, {}, u"true"_s });
        QVERIFY(!old.isEmpty());
        m_events.clear();
        const auto built = QCoro::waitFor(m_builder->buildCustom(
            { tag(), Runtime::Bash, {}, u"echo 'this went wrong' >&2; exit 7"_s }, recording()));
        QVERIFY(!built.has_value());
        QCOMPARE(built.error().kind, Kind::Internal);
        QVERIFY(built.error().message.contains("exit code 7"_L1));
        QVERIFY(built.error().message.contains("this went wrong"_L1));
        QVERIFY(!built.error().message.contains(u'\x1b'));
        QCOMPARE(idOf(tag()), old);
        verifyNothingLeft();
    }

    void saysWhichPackageIsMissing_data()
    {
        QTest::addColumn<Runtime>("runtime");
        QTest::newRow("python") << Runtime::Python;
        QTest::newRow("node") << Runtime::Node;
        QTest::newRow("bun") << Runtime::Bun;
    }

    void saysWhichPackageIsMissing()
    {
        QFETCH(Runtime, runtime);
        const auto built = QCoro::waitFor(
            m_builder->buildCustom({ tag(), runtime, { u"isol8-missing"_s }, {} }, recording()));
        QVERIFY(!built.has_value());
        QCOMPARE(built.error().kind, Kind::NotFound);
        QVERIFY2(
            built.error().message.contains("isol8-missing"_L1), qPrintable(built.error().message));
        QCOMPARE(idOf(tag()), QString());
        verifyNothingLeft();
    }

    void leavesNothingOfACancelledBuild_data()
    {
        QTest::addColumn<QString>("mark");
        QTest::newRow("first step") << u"FROM"_s;
        QTest::newRow("copy") << u"COPY"_s;
        QTest::newRow("run") << u"RUN"_s;
        QTest::newRow("script") << u"the script runs"_s;
    }

    void leavesNothingOfACancelledBuild()
    {
        QFETCH(QString, mark);
        const auto old = build({ tag(), Runtime::Bash, {}, u"true"_s });
        QVERIFY(!old.isEmpty());
        m_events.clear();
        const CancelToken cancel;
        // recorded.
        const auto built = QCoro::waitFor(m_builder->buildCustom(
            { tag(), Runtime::Bash, {}, u"echo the script runs; sleep 1000"_s },
            cancellingAt(mark, cancel), cancel));
        QVERIFY(!built.has_value());
        QCOMPARE(built.error(), cancelled());
        QCOMPARE(idOf(tag()), old);
        verifyNothingLeft();
        QCOMPARE(QDir(m_settings.workDirectory).entryList(QDir::AllEntries | QDir::NoDotAndDotDot),
            QStringList());
    }

    void isCancelledBeforeTheBuild()
    {
        const CancelToken cancel;
        cancel.cancel();
        const auto built = QCoro::waitFor(
            m_builder->buildCustom({ tag(), Runtime::Bash, {}, u"true"_s }, recording(), cancel));
        QVERIFY(!built.has_value());
        QCOMPARE(built.error(), cancelled());
        QCOMPARE(m_events, QList<ImageEvent>());
    }

    void endsWithItsBuilder()
    {
        Result<QString> result;
        bool isDone = false;
        const auto handler = [this](const ImageEvent& event) {
            m_events << event;
            if (event.text.contains("the script runs"_L1))
                QTimer::singleShot(0, this, [this] { m_builder.reset(); });
        };
        const CustomImageSpec spec { tag(), Runtime::Bash, {},
            u"echo the script runs; sleep 1000"_s };
        QCoro::connect(
            m_builder->buildCustom(spec, handler), this, [&](const Result<QString>& built) {
                result = built;
                isDone = true;
            });
        QTRY_VERIFY_WITH_TIMEOUT(isDone, 120'000);
        QVERIFY(!result.has_value());
        QCOMPARE(result.error(), cancelled());
        verifyNothingLeft();
    }

    void doesNotReplaceAForeignImage()
    {
        QVERIFY(QCoro::waitFor(m_client->tagImage(baseImageTag(Runtime::Bash), m_name, u"one"_s))
                .has_value());
        const auto before = idOf(tag());
        CustomImageSpec spec { tag(), Runtime::Bash, {}, u"true"_s };
        const auto refused = QCoro::waitFor(m_builder->buildCustom(spec, recording()));
        QVERIFY(!refused.has_value());
        QCOMPARE(refused.error().kind, Kind::Conflict);
        QCOMPARE(idOf(tag()), before);
        spec.rebuild = Rebuild::Always;
        QVERIFY(build(spec) != before);
        QCOMPARE(idOf(baseImageTag(Runtime::Bash)), before);
    }

    void doesNotListWhatOthersMadeOfOurs()
    {
        QVERIFY(!build({ tag(), Runtime::Bash, {}, u"true"_s }).isEmpty());
        QVERIFY(QCoro::waitFor(m_client->tagImage(tag(), m_name, u"two"_s)).has_value());
        const auto all = QCoro::waitFor(m_builder->listAll());
        QVERIFY(all.has_value());
        QVERIFY(all->contains(tag()));
        QVERIFY(!all->contains(tag(u"two"_s)));
        QCOMPARE(all->last(), sharedBaseTag());
        QVERIFY(all->indexOf(tag()) < all->indexOf(baseImageTag(Runtime::Bash)));
    }

    void removesWhatAKilledBuildLeft()
    {
        auto dead = Owner::self();
        ++dead.startTicks;
        const auto left = unfinishedImage(dead);
        const auto goingOn = unfinishedImage(Owner::self());
        QVERIFY(!idOf(left).isEmpty());
        QVERIFY(!idOf(goingOn).isEmpty());

        QVERIFY(QCoro::waitFor(m_builder->buildBase(Runtime::Bash, Rebuild::IfChanged, recording()))
                .has_value());
        QCOMPARE(idOf(left), QString());
        QVERIFY(!idOf(goingOn).isEmpty());
        QVERIFY(QCoro::waitFor(m_client->removeImage(goingOn)).has_value());
    }

    void refusesBadSpecs_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QStringList>("packages");
        QTest::addColumn<QString>("script");
        QTest::newRow("nothing to do") << u"isol8-test-x"_s << QStringList() << u" \n"_s;
        QTest::newRow("tag") << u"-x"_s << QStringList() << u"true"_s;
        QTest::newRow("base image") << u"isol8:bash"_s << QStringList() << u"true"_s;
        QTest::newRow("another's") << u"isol8:node-custom"_s << QStringList() << u"true"_s;
        QTest::newRow("package") << u"isol8-test-x"_s << QStringList { u"jq"_s, u"--force"_s }
                                 << QString();
        QTest::newRow("long script") << u"isol8-test-x"_s << QStringList() << QString(70'000, u'#');
        QTest::newRow("NUL") << u"isol8-test-x"_s << QStringList() << QString(u"a"_s + QChar(0));
    }

    void refusesBadSpecs()
    {
        QFETCH(QString, name);
        QFETCH(QStringList, packages);
        QFETCH(QString, script);
        const auto built = QCoro::waitFor(
            m_builder->buildCustom({ name, Runtime::Bash, packages, script }, recording()));
        QVERIFY(!built.has_value());
        QCOMPARE(built.error().kind, Kind::Invalid);
        QCOMPARE(m_events, QList<ImageEvent>());
    }

    void refusesABadRegistry()
    {
        m_settings.registries.insert(Runtime::Bash, u"file:///srv/packages"_s);
        m_builder = std::make_unique<ImageBuilder>(m_client, m_settings);
        const auto built = QCoro::waitFor(
            m_builder->buildCustom({ tag(), Runtime::Bash, { u"jq"_s }, {} }, recording()));
        QVERIFY(!built.has_value());
        QCOMPARE(built.error().kind, Kind::Invalid);
        QVERIFY(built.error().message.contains("registries.bash"_L1));
    }
};

QTEST_GUILESS_MAIN(TestImageBuilder)
#include "tst_imagebuilder.moc"
