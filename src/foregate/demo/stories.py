"""Who the demo's people are, and what to try as them, in every language of the pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

STORIES: Final[Mapping[str, Mapping[str, str]]] = {
    "fine": {
        "zh": "一切正常。用手机号进来先看一眼，再补一个密码看全部；也可以直接用卡号或用户名登录。",
        "en": "All is well. Look in with the phone number first, then add the password; or sign in by card or user name.",
    },
    "not-registered": {
        "zh": "有卡，还没开通手机银行。从“注册”开始；也试试先用手机号登录，看看会得到什么答复。",
        "en": "Holds a card but never registered. Register; or try to sign in first, and see what the answer offers.",
    },
    "forgot-password": {
        "zh": "忘了密码。输错两次，看答复里给的路；再用验证码和取款密码设一个新的。",
        "en": "Forgot the password. Fail twice and see what is offered; then set a new one with a code and the card PIN.",
    },
    "closed-by-failures": {
        "zh": "连续输错太多次，登录被关了。用卡、办卡时留的手机号和取款密码自己重新开通。",
        "en": "Failed too often, so sign-in closed. Reopen it with the card, the number bound to it and the card PIN.",
    },
    "closed-by-customer": {
        "zh": "手机丢过一次，自己冻结了登录。手机找回来了，现在要重新开通。",
        "en": "Lost the phone once and froze sign-in. It was found again; now reopen.",
    },
    "closed-by-disuse": {
        "zh": "七十多岁，一年半没登录过。重新开通一次就好，不用去网点。",
        "en": "Over seventy, and away for a year and a half. One reopening is enough, no outlet needed.",
    },
    "closed-by-bank": {
        "zh": "银行关的登录，只有网点能打开。看看页面怎么说，又怎么不向陌生人说。",
        "en": "Closed by the bank, so only an outlet opens it. See what the page says, and what it does not tell strangers.",
    },
    "number-gone-bound-held": {
        "zh": "登记在手机银行的号码停用了，办卡时留的号码还在用。登录收不到码，但能冻结，也能重新开通。",
        "en": "Gave up the registered number, still holds the one bound to the card. No code arrives to sign in; freezing and reopening work.",
    },
    "no-number-held": {
        "zh": "两个号码都停用了。哪条路都要收短信，最后带身份证去网点。看看页面多久才告诉她。",
        "en": "Holds neither number any more. Every way needs a message, so an outlet it is. See how soon the page says so.",
    },
    "two-cards": {
        "zh": "两张卡，各留了不同的手机号。注册和重新开通时，码发到所填那张卡的号码。",
        "en": "Two cards, each bound to another number. Codes of `reopen` go to the number of the card that was typed.",
    },
    "family-father": {
        "zh": "一家三口的卡留的是同一个号码，手机银行登记在他名下。用这个号码冻结时，要先选是谁。",
        "en": "A family of three shares his number; for e-banking it is his. Freeze by that number, and pick who is meant.",
    },
    "family-mother": {
        "zh": "卡上留的是丈夫的号码，手机银行登记的是自己的号码。",
        "en": "Her card is bound to her husband's number; for e-banking she registered her own.",
    },
    "family-daughter": {
        "zh": "卡上留的是父亲的号码，还没注册。注册到最后会知道：这个号码已经是别人的登录号码。",
        "en": "Her card is bound to her father's number. Registering ends with: this number is somebody's sign-in already.",
    },
    "middle-dot": {
        "zh": "名字里有间隔号。用“·”“•”或“．”来写，都认得。",
        "en": "A middle dot in the name. Type it as ·, • or ．: all are understood.",
    },
    "rare-character": {
        "zh": "名字里有生僻字“𬭎”。复制下面的名字去注册。",
        "en": "A rare character in the name. Copy the name from here to register.",
    },
    "latin-name": {
        "zh": "外国人永久居留证，拉丁字母姓名，中间有空格；大小写都行。",
        "en": "A permanent residence card, a Latin name with blanks; capitals or not, both are right.",
    },
    "number-ends-in-x": {
        "zh": "身份证号末位是 X。小写 x、全角Ｘ都行。",
        "en": "An identity number that ends in X. A small x or a full-width one is right too.",
    },
    "document-expired": {
        "zh": "身份证过期了。现在仍能登录；以后更新证件时会用到。",
        "en": "The ID card expired. Signing in still works; renewing the document comes later.",
    },
    "document-expiring": {
        "zh": "身份证二十天后到期。",
        "en": "The ID card expires in twenty days.",
    },
    "fourteen": {
        "zh": "十四岁。注册到最后会得到实话：请和家长一起到网点开通。",
        "en": "Fourteen years old. Registering ends with the truth: come to an outlet with a parent.",
    },
    "same-name-one": {
        "zh": "和下一位同名同姓。已注册。",
        "en": "Has the same name as the next person. Registered.",
    },
    "same-name-two": {
        "zh": "和上一位同名同姓。未注册；用自己的卡和证件注册，不会认错人。",
        "en": "Has the same name as the person before. Not registered; with her own card and ID nobody is mixed up.",
    },
    "passport": {
        "zh": "持外国护照。姓名里有撇号。",
        "en": "Holds a foreign passport. An apostrophe in the name.",
    },
    "hong-kong-permit": {
        "zh": "持港澳居民来往内地通行证，繁体姓名。",
        "en": "Holds a Mainland Travel Permit (Hong Kong). A name in traditional characters.",
    },
    "device-remembered": {
        "zh": "有一台记住的旧平板。登录后在“记住的设备”里把它忘掉；或者记住这台，下次就不用收码。",
        "en": "Has an old tablet remembered. Sign in and forget it; or remember this one, and no code is asked next time.",
    },
    "password-blocked": {
        "zh": "密码连续输错五次，停用十五分钟。换取款密码照样能进，不用干等。",
        "en": "Five wrong passwords, so it rests for fifteen minutes. The card PIN works meanwhile: nobody has to wait.",
    },
}
