package callout

import "errors"

func shapes() map[string]hostileCase {
	return map[string]hostileCase{
		"NoBody":         {reason: "There is nothing to read.", body: "", want: errEmpty},
		"WhiteSpaceOnly": {reason: "As good as nothing.", body: " \r\n\t", want: errEmpty},
		"MarkOnly":       {reason: "A byte order mark is no text.", body: "\xef\xbb\xbf", want: errEmpty},
		"JSONObject": {
			reason: "Concur's other interface speaks JSON; somebody has mixed up the paths.",
			body:   `{"eventType":"statusChanged"}`, contentType: "application/json", want: errJSON,
		},
		"JSONList": {reason: "The failed notifications come as a list.", body: "\n[{}]", want: errJSON},
		"PlainText": {
			reason: "A test by hand.", body: "hello", contentType: "text/plain", want: errNotXML,
		},
		"NoElement": {reason: "A document has a root.", body: `<?xml version="1.0"?><!-- x -->`, want: errNotXML},
		"List": {
			reason: "One event is one notification; the list of failed ones is taken apart before.",
			body:   with("<NotificationList>", "", "</NotificationList>"), want: errList,
		},
		"ListAsInTheText": {
			reason: "The page calls the root by another name than its sample.",
			body:   with("<NotificationsList>", "", "</NotificationsList>"), want: errList,
		},
		"Envelope": {
			reason: "Nobody knows what an envelope changes about what is in it.",
			body:   with("<Envelope>", "", "</Envelope>"), want: errRoot,
		},
		"RootInOtherCase": {
			reason: "XML tells upper from lower case.", body: "<notification/>", want: errRoot,
		},
		"NotificationInNotification": {
			reason: "Only the children of the root are its fields.",
			body:   with("<Notification>", "", "</Notification>"), want: errors.New("the notification has no ObjectType"),
		},
		"TwoRoots": {reason: "Two notifications are two requests.", body: with("", "", with("", "", "")), want: errRoots},
		"TextAfterwards": {
			reason: "A body that was cut or glued is not to be trusted.", body: with("", "", "x"), want: errOutside,
		},
		"TextBefore": {
			reason: "As above.", body: with("<!-- -->x", "", ""), want: errOutside,
		},
	}
}

func badFields() map[string]hostileCase {
	return map[string]hostileCase{
		"FieldTwice": {
			reason: "The next reader may take the other one.",
			body:   with("", "<ObjectURI>V</ObjectURI>", ""), want: errors.New("the notification has more than one ObjectURI"),
		},
		"FieldTwiceInNamespaces": {
			reason: "Namespaces do not make it another one.",
			body:   with("", `<x:ObjectURI xmlns:x="y">V</x:ObjectURI>`, ""),
			want:   errors.New("the notification has more than one ObjectURI"),
		},
		"EmptyFieldTwice": {
			reason: "Nor does being empty.",
			body:   with("", `<Context/><Context>C</Context>`, ""), want: errors.New("the notification has more than one Context"),
		},
		"ElementInField": {
			reason: "Its text could be read as UV, U or V.",
			body:   "<Notification><ObjectURI>U<b>V</b></ObjectURI></Notification>",
			want:   errors.New("ObjectURI holds an element where text should be"),
		},
		"NoURI": {
			reason: "An event about nothing helps nobody.",
			body:   "<Notification><EventType>E</EventType><ObjectType>T</ObjectType><ObjectURI> </ObjectURI></Notification>",
			want:   errors.New("the notification has no ObjectURI"),
		},
		"NoEventType": {
			reason: "As with events of ESS, something must have happened.",
			body:   "<Notification><ObjectType>T</ObjectType><ObjectURI>U</ObjectURI></Notification>",
			want:   errors.New("the notification has no EventType"),
		},
	}
}

func malformed() map[string]hostileCase {
	return map[string]hostileCase{
		"CutOff": {reason: "The rest is missing.", body: with("", "", "")[:60], want: wrongInLine(1)},
		"CutOffInTag": {
			reason: "The rest is missing.", body: "<Notification>\n<Event", want: wrongInLine(2),
		},
		"WrongEndTag":    {reason: "Tags match.", body: "<Notification></Notificatoin>", want: wrongInLine(1)},
		"EndTagTooMuch":  {reason: "Tags match.", body: with("", "", "</x>"), want: wrongInLine(1)},
		"EndTagAtFirst":  {reason: "Tags match.", body: "</Notification>", want: wrongInLine(1)},
		"AttributeTwice": {reason: "Not well-formed, and dear to attackers.", body: `<Notification a="1" a="2"/>`, want: errTwiceNamed},
		"AttributeTwiceByNamespace": {
			reason: "Two prefixes, one name (Namespaces in XML, section 6.3).",
			body:   `<Notification xmlns:a="n" xmlns:b="n" a:x="1" b:x="2"/>`, want: errTwiceNamed,
		},
		"UnquotedAttribute":   {reason: "HTML, not XML.", body: `<Notification a=1/>`, want: wrongInLine(1)},
		"TagInAttribute":      {reason: "A tag in a tag.", body: `<Notification a="<b>"/>`, want: wrongInLine(1)},
		"BareAmpersand":       {reason: "Not an entity.", body: with("", "<Context>a & b</Context>", ""), want: wrongInLine(1)},
		"EndOfCDATAInText":    {reason: "Forbidden in text.", body: with("", "<Context>]]></Context>", ""), want: wrongInLine(1)},
		"DashesInComment":     {reason: "Forbidden in comments.", body: with("", "<!-- a -- b -->", ""), want: wrongInLine(1)},
		"InvalidName":         {reason: "A name begins with a letter.", body: "<1/>", want: wrongInLine(1)},
		"ZeroByte":            {reason: "XML has no such character.", body: with("", "\x00", ""), want: errControl},
		"ControlCharacter":    {reason: "XML 1.0 has no such character.", body: with("", "<Context>\x1b[31m</Context>", ""), want: errControl},
		"ControlInComment":    {reason: "Nor anywhere else.", body: with("<!-- \x07 -->", "", ""), want: errControl},
		"Noncharacter":        {reason: "XML has no such character.", body: with("", "<Context>\ufffe</Context>", ""), want: errControl},
		"ControlByReference":  {reason: "Nor in disguise.", body: with("", "<Context>&#27;</Context>", ""), want: wrongInLine(1)},
		"ZeroByReference":     {reason: "Nor in disguise.", body: with("", "<Context>&#0;</Context>", ""), want: wrongInLine(1)},
		"ReferenceBeyondAll":  {reason: "There is no such character.", body: with("", "<Context>&#x110000;</Context>", ""), want: wrongInLine(1)},
		"HugeReference":       {reason: "There is no such number.", body: with("", "<Context>&#99999999999999999999;</Context>", ""), want: wrongInLine(1)},
		"SecondDeclaration":   {reason: "Two documents in one.", body: with("", `<?xml version="1.0"?>`, ""), want: errSecondDeclaration},
		"SecondEncoding":      {reason: "Nor may it change the encoding midway.", body: with("", `<?xml encoding="utf-7"?>`, ""), want: wrongInLine(1)},
		"SecondVersion":       {reason: "Nor the version.", body: with("", `<?xml version="7"?>`, ""), want: wrongInLine(1)},
		"DeclarationInCase":   {reason: "A reserved name.", body: with("<!-- --><?XML version='1.0'?>", "", ""), want: errSecondDeclaration},
		"SurrogateReference":  {reason: "It stands for no character; the decoder makes U+FFFD of it.", body: with("", "<Context>&#xD800;</Context>", "")},
		"UndeclaredPrefix":    {reason: "Namespaces are ignored, so a wrong one is, too.", body: with("", "<a:b/>", "")},
		"TextBetweenElements": {reason: "Nothing that is looked for is there.", body: with("", "x", "")},
	}
}
