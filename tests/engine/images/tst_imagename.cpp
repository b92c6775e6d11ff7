// SPDX-License-Identifier: MIT
#include "engine/images/imagename.h"

#include "engine/core/escape.h"

#include <QTest>

using namespace isol8;
using namespace Qt::StringLiterals;

class TestImageName : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void namesImagesOfRuntimes()
    {
        QCOMPARE(baseImageTag(Runtime::Python), u"isol8:python"_s);
        QCOMPARE(baseImageTag(Runtime::Node), u"isol8:node"_s);
        QCOMPARE(baseImageTag(Runtime::Bun), u"isol8:bun"_s);
        QCOMPARE(baseImageTag(Runtime::Deno), u"isol8:deno"_s);
        QCOMPARE(baseImageTag(Runtime::Bash), u"isol8:bash"_s);
        QCOMPARE(baseImageTag(Runtime::Agent), u"isol8:agent"_s);
        QCOMPARE(customImageTag(Runtime::Python), u"isol8:python-custom"_s);
        QCOMPARE(sharedBaseTag(), u"isol8:base"_s);
    }

    void checksTags_data()
    {
        QTest::addColumn<QString>("tag");
        QTest::addColumn<bool>("isGood");
        const auto row = [](const char* name, const QString& tag, bool isGood) {
            QTest::newRow(name) << tag << isGood;
        };
        row("plain", u"my-image"_s, true);
        row("version", u"my-image:1.0"_s, true);
        row("upper case version", u"my-image:RC1"_s, true);
        row("path", u"team/my_image:latest"_s, true);
        row("registry", u"registry.example.org:5000/team/image:v1"_s, true);
        row("double underscore", u"a__b"_s, true);
        row("ours with another version", u"isol8:mine"_s, true);
        row("empty", QString(), false);
        row("option", u"-x"_s, false);
        row("option in version", u"image:-x"_s, false);
        row("upper case", u"MyImage"_s, false);
        row("upper case with version", u"MyImage:1"_s, false);
        row("digest", u"image@sha256:%1"_s.arg(QString(64, u'a')), false);
        row("two versions", u"image:1:2"_s, false);
        row("no version after colon", u"image:"_s, false);
        row("only a version", u":1"_s, false);
        row("space", u"my image"_s, false);
        row("newline", u"image\n"_s, false);
        row("newline within", u"image\nUSER root"_s, false);
        row("NUL", QString(u"im"_s + QChar(0) + u"age"_s), false);
        row("shell", u"image;id"_s, false);
        row("variable", u"image:$HOME"_s, false);
        row("parent directory", u"../image"_s, false);
        row("empty component", u"a//b"_s, false);
        row("slash first", u"/image"_s, false);
        row("slash last", u"image/"_s, false);
        row("three underscores", u"a___b"_s, false);
        row("not ASCII", u"im\u00e4ge"_s, false);
        row("a digit that is not ASCII", u"image\u0664"_s, false);
        row("too long", QString(300, u'a'), false);
        row("version too long", u"a:"_s + QString(129, u'b'), false);
        row("base image", u"isol8:base"_s, false);
        row("runtime image", u"isol8:python"_s, false);
        row("made by setup", u"isol8:python-custom"_s, false);
        row("latest of ours", u"isol8"_s, false);
    }

    void checksTags()
    {
        QFETCH(QString, tag);
        QFETCH(bool, isGood);
        const auto result = validateTag(tag);
        QCOMPARE(result.has_value(), isGood);
        if (!isGood) {
            QCOMPARE(result.error().kind, Kind::Invalid);
            QVERIFY(result.error().message.contains("tag"_L1));
            QVERIFY(!result.error().message.contains(u'\n'));
        }
    }

    void checksPackages_data()
    {
        QTest::addColumn<Runtime>("runtime");
        QTest::addColumn<QString>("name");
        QTest::addColumn<bool>("isGood");
        int number = 0;
        const auto row = [&number](Runtime runtime, const QString& name, bool isGood) {
            QTest::addRow("%d %s", ++number, qPrintable(printable(name)))
                << runtime << name << isGood;
        };
        for (const auto* name :
            { "numpy", "numpy==2.1.0", "zope.interface", "requests[socks,use]>=2,<3", "a",
                "ruamel.yaml~=0.18", "torch==2.1.*", "foo===1!2.0+local" })
            row(Runtime::Python, QString::fromLatin1(name), true);
        for (const auto* name : { "lodash", "@types/node", "@types/node@22", "lodash@^4.17.21",
                 "is-odd@latest", "JSONStream", "a.b" }) {
            row(Runtime::Node, QString::fromLatin1(name), true);
            row(Runtime::Bun, QString::fromLatin1(name), true);
        }
        for (const auto* name : { "npm:chalk", "npm:chalk@5", "jsr:@std/path", "jsr:@std/path@^1",
                 "chalk", "npm:@scope/name@1.2.3" })
            row(Runtime::Deno, QString::fromLatin1(name), true);
        for (const auto* name : { "ripgrep", "g++", "libc6:amd64", "jq=1.7.1-3", "python3.13" })
            row(Runtime::Bash, QString::fromLatin1(name), true);

        for (const auto runtime :
            { Runtime::Python, Runtime::Node, Runtime::Bun, Runtime::Deno, Runtime::Bash }) {
            for (const auto& name : { QString(), u"-e"_s, u"--index-url=http://x"_s, u"-r file"_s,
                     u"a\nb"_s, u"a\n"_s, u"a b"_s, u"a;id"_s, u"$(id)"_s, u"`id`"_s, u"a&b"_s,
                     u"a|b"_s, u"git+ssh://host/x"_s, u"git+https://host/x.git"_s,
                     u"file:///etc/passwd"_s, u"file:../x"_s, u"https://host/x.tgz"_s, u"../x"_s,
                     u"./x"_s, u"/etc/x"_s, u"~/x"_s, u"a/../b"_s, u"a\\b"_s, u"a'b"_s, u"a\"b"_s,
                     u"a#b"_s, u"a%b"_s, u".hidden"_s, QString(u"a"_s + QChar(0)), u"a\u202e"_s,
                     u"p\u00e4ckage"_s, QString(300, u'a') })
                row(runtime, name, false);
        }
        row(Runtime::Python, u"name @ https://host/x.whl"_s, false);
        row(Runtime::Python, u"name@https://host/x.whl"_s, false);
        row(Runtime::Python, u"numpy==2;python_version<'3'"_s, false);
        row(Runtime::Node, u"user/repository"_s, false);
        row(Runtime::Node, u"github:user/repository"_s, false);
        row(Runtime::Node, u"name@npm:other"_s, false);
        row(Runtime::Node, u"name@file:../x"_s, false);
        row(Runtime::Node, u"@scope"_s, false);
        row(Runtime::Node, u"@scope/../x"_s, false);
        row(Runtime::Deno, u"https://deno.land/x/a.ts"_s, false);
        row(Runtime::Deno, u"jsr:path"_s, false);
        row(Runtime::Bash, u"./package.deb"_s, false);
        row(Runtime::Bash, u"Upper"_s, false);
        row(Runtime::Bash, u"name/testing"_s, false);
        row(Runtime::Bash, u"name*"_s, false);
    }

    void checksPackages()
    {
        QFETCH(Runtime, runtime);
        QFETCH(QString, name);
        QFETCH(bool, isGood);
        const auto result = validatePackageName(runtime, name);
        QCOMPARE(result.has_value(), isGood);
        if (!isGood) {
            QCOMPARE(result.error().kind, Kind::Invalid);
            QVERIFY(!result.error().message.contains(u'\n'));
            QVERIFY(!result.error().message.contains(QChar(0x202e)));
        }
    }
};

QTEST_GUILESS_MAIN(TestImageName)
#include "tst_imagename.moc"
